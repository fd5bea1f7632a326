"""Filter expressions of VSIM, as Redis 8.2.3 answered them; run there too where the environment names it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from redtool.engine.filters import BadExpression, compiled
from tests import servers

Match = Callable[[str, str], bool | str]

JSON = (
    '{"year":1984,"name":"Ada","rating":4.5,"tags":["a","b",3,true,null],'
    '"t":true,"f":false,"n":null,"o":{"x":1},"neg":-7,"exp":1e3,"esc":"a\\"b\\\\c\\nd\\u00e9\\u0041",'
    '"empty":"","num":"12","a-b":5,"a_b":6,"nested":[[1,2],["x"]],"et":[],"uni":"é",'
    '"dup":1,"dup":2,"hex":"0x10","sp":" 12"}'
)

MATCHES = [
    ".year", ".year==1984.0", '.year == "1984"', '.name == "Ada"', ".name == 'Ada'", "!.n", ".n == null", ".n != 0",
    ".t == 1", ".f == 0", "not .f", "!.f", ".rating > 4", ".rating >= 4.5", ".rating*2 == 9", ".rating / 2 == 2.25",
    ".year % 10 == 4", ".neg % 4 == -3", "2**3 == 8", "2**3**2 == 512", "-2**2 == 4", "2+3*4 == 14", "(2+3)*4 == 20",
    "10-3-2 == 5", "10 - 3 - 2 == 5", "10 -3 == 7", ".year -4 == 1980", ".year - 4 == 1980", "(3)-4 == -1", "5/0",
    "5/0 > 1000", "0/0", "5%0", "1 == 1 == 1", "1 < 2 < 3", "1 or 0 and 0", ".year in [1984,1985]", '"a" in .tags',
    "3 in .tags", "1 in .tags", "null in .tags", "0 in .tags", '"b" in ["a","b"]', '"b" in [ "a" , "b" ]',
    "-3 in [-3]", '"Ad" in "Ada"', '"Ad" in .name', '.name in "xAday"', '"" in "Ada"', '.num in "123"',
    ".num in .num", 'not "x" in .tags', '!("x" in .tags)', ".num == 12", ".num > 11", ".num + 1 == 13", ".hex == 16",
    ".sp == 12", ".name < 1", ".name == 0", ".name + 1 == 1", '"abc" >= "abc"', '"10" > "9"', "!.empty",
    '.empty == ""', ".empty == 0", ".tags", ".tags == .tags", ".tags == 0", ".et", ".nested", ".exp == 1000",
    ".a-b == 5", ".a_b == 6", '.uni == "é"', ".dup == 1", "1e3 == 1000", "1E3 == 1000", "5. == 5", "-5 < 0",
    '\'it\\\'s\' == "it\\\'s"', '"a\\nb" == "a\\nb"', '"x" == \'x\'', "[1,2]", "[]", "1and 1", "1 and1", "1 || 0",
    "1|| 0", "1||0", "1 ** 2", "1 *2", "1*-2 == -2", "1 - -2 == 3", "1--2 == 3", "1-2 == -1", "(1)-2 == -1",
    ".t and (.f or .year > 1980)", '.year > 1980 and .rating > 4 and .name == "Ada"', '.year in [1984, "Ada"]',
    '"3" in .tags', '3 in ["3"]', '.name in ["Ada", \'Bob\']', "null == null", "null != 1", "!null", "not null",
    '"" == 0', "1984==.year", ".year==1984&&.rating>4", ".year==1984and.rating>4", ".year\t==\t1984",
    "[1,2] == [1,2]", "[1] == 0", ".t in [1]", ".f in [0]", "2 ** -1 == 0.5", "2**-1 == 0.5",
    "9999999999999999999999 > 1", "1e400 > 1", "!1 == 0", "!0 + 1 == 2", "not 0 + 1", "5 % 3 * 2 == 4",
    "5 * 3 % 2 == 1", '"a" + "b" == 0', '.year > "abc"', "0 -.neg == 7", "0 - .neg == 7", "1 == 1.0000000000000001",
]  # fmt: skip
OTHERS = [
    ".Name", ".nope", "!.nope", "not .nope", ".nope == null", ".nope or 1", "1 or .nope", "1 && .nope", ".n",
    ".n == 0", ".f", ".f == null", ".o", ".o == null", ".neg % 4 == 1", "2**3**2 == 64", "-2**2 == -4",
    ".year-4 == 1980", "0/0 == 0/0", "3 > 2 > 1", "(1 or 0) and 0", ".year in [1985]", ".year in []", '"z" in .tags',
    '"b" in ["a",]', '"ad" in "Ada"', '"Ada" in "Ad"', '1 in "123"', ".year in .name", ".name > 1", '.name == "ada"',
    '"abc" < "abd"', '"abd" > "abc"', ".empty", ".empty == null", "!.tags", "!.et", "1 in .nested",
    '.esc == "a\\"b\\\\c"', '.esc == "a"', ".dup == 2", ".5 == 0.5", "null", "! 1", ".year > 1980 and .rating > 5",
    ".year notin [1]", "1 in 1", "1 == null", '"" == null', "0", "0.0", "-0", "not 1 == 2",
]  # fmt: skip

# expression -> where reading it stopped
MISTAKES = {
    "true in .tags": " in .tags", '"b" in ["a" "b"]': '"b"]', "null in [null]": "null]",
    "true in [true]": " in [true]", ".year in [.year]": ".year]", "1e+3 == 1000": "+3 == 1000", "1e-3 < 1": "-3 < 1",
    "1.2.3 == 1": " == 1", "0x10 == 16": "10 == 16", "1_000": "_000", "trueand 1": " 1", "1 AND 1": " 1",
    "NOT 0": " 0", "1 | 0": " 0", "1 & 1": " 1", "1 = 1": " 1", "1 === 1": " 1", "1 =< 1": " 1",
    ".year # comment": "# comment", ".year; 1": "; 1", '.nested == [[1,2],["x"]]': '[1,2],["x"]]',
    '"a" in [["a"]]': '["a"]]', ".n in [null]": "null]", 'true == "1"': ' == "1"', 'true == "true"': ' == "true"',
    "1 or .é": ".é", "1 or .$": ".$", "1 or [x]": "x]", "1 or [-]": "]", "1 or 1e x": " x", "3 in [,1]": ",1]",
    "3 in [1,,2]": ",2]", ".a@": "@",
    **{each: each for each in (
    ".name == Ada", ".n == false", ".t == true", ".f == false", "!!.t", "not not .t", ".o.x", ".o.x == 1",
    ".year- 4 == 1980", '."year"', ". year", "- 5 < 0", "+5 > 0", "--5 > 0", '"unterminated', "[1,2", "true", "false",
    "nul", "nullx", "truex", "falsey", "1 <> 1", "1 !1", "1 ! 1", "()", "(1", "1)", "(1)(2)", "1 (2)", "1 2", "1 +",
    "+ 1", "* 1", "1 * * 2", "in [1]", "1 in", "#", "@a", "$x == 1", "é", ".é", "-.neg == 7", "(-.neg)",
    )},
}  # fmt: skip

READ = [
    ('{"a":1}', ".a==1"), (' {"a":1}', ".a==1"), ('{ "a" : 1 }', ".a==1"), ('{"a":1', ".a==1"), ('{"a":1,', ".a==1"),
    ('{"a":1 garbage', ".a==1"), ('{"b":2,"a":1} trailing', ".a==1"), ('{"b":{"a":2},"a":1}', ".a==1"),
    ('{"b":[{"a":2}],"a":1}', ".a==1"), ('{"b":"}{\\"a\\":3","a":1}', ".a==1"), ('{"a":01}', ".a==1"),
    ('{"a":+1}', ".a==1"), ('{"a":5.}', ".a==5"), ('{"a":1e2}', ".a==100"), ('{"a":1e+2}', ".a==100"),
    ('{"a":1E-2}', ".a==0.01"), ('{"a":-1}', ".a==-1"), ('{"a":1x}', ".a==1"), ('{"a":true}', ".a==1"),
    ('{"a":"x\\\\y"}', '.a=="x\\y"'), ('{"a":"a\\/b"}', '.a=="a/b"'), ('{"a":"a\\qb"}', '.a=="aqb"'),
    ('{"a":"a\\tb"}', '"\t" in .a'), ('{"a":"a\\"b"}', '\'"\' in .a'), ('{"a":"a\'b"}', '.a=="a\'b"'),
    ('{"a\\"":1,"a":2}', ".a==2"), ('{"a":[1,[2,3],4]}', "4 in .a"), ('{"a":[1,[2,3],4]}', ".a"),
    ('{"a":[1,{"x":1},4]}', "1"), ('{"a":[ ]}', ".a"), ('{"a":[true,false,null]}', "null in .a"),
    ('{"a":[true,false,null]}', "0 in .a"), ("{}", "1"), ("notjson", "1"), ("[1]", "1"), ('"x"', "1"),
    ('{"a":1,"b":}', ".a==1"), ('{"b":1.2.3,"a":1}', ".a==1"), ('{"b":"\\u12","a":1}', ".a==1"),
    ('{"a":null}', ".a==null"), ('{"a":""}', '.a==""'), ('{"é":1,"a":1}', ".a==1"), ('{"a":1}', ".a ==1 and .a==1"),
    ('{"a":"1"}', ".a==1"), ('{"a":"10"}', ".a>9"), ('{"a":"0x1F"}', ".a==31"), ('{"a":"inf"}', ".a>1e300"),
    ('{"a":" 5"}', ".a==5"), ('{"a":12345678901234567890}', ".a==12345678901234567890"), ('{"a":0.1}', ".a==0.1"),
    ('{"a":1.}', ".a==1"), ('{"a":1}', ".a==1.0e0"), ('{"a":"b"}', '.a in ["a","b"]'), ('{"a":"ab"}', '.a in "xaby"'),
    ('{"a":""}', '.a in "x"'), ('{"a":["x"]}', '.a in ["x"]'), ('{"a":["x"]}', '.a==["x"]'),
    ('{"a":["x","y"]}', '"x" in .a and "y" in .a'), ('{"a":"😀"}', '.a=="😀"'),
]  # fmt: skip
NOT_READ = [
    ('{"b":2 "a":1}', ".a==1"), ('[1,{"a":1}]', ".a==1"), ("{'a':1}", ".a==1"), ("{a:1}", ".a==1"),
    ('{"a":.5}', ".a==0.5"), ('{"a":-}', ".a==0"), ('{"a":0x10}', ".a==16"), ('{"a":NaN}', ".a"), ('{"a":tru}', ".a"),
    ('{"a":trueish}', ".a"), ('{"a":"x\\ny"}', '.a=="x\\ny"'), ('{"a":"x\\\\y"}', '.a=="x\\\\y"'),
    ('{"a":"\\u0041"}', '.a=="A"'), ('{"a":"\\u00e9"}', '.a=="é"'), ('{"a":"\\u0041"}', '.a=="\\u0041"'),
    ('{"a":"\\u00e9"}', '.a=="?"'), ('{"a":"a\'b"}', ".a=='a\\'b'"), ('{"a":"unterm', ".a"),
    ('{"b":"unterm,"a":1}', ".a==1"), ('{"\\u0061":1}', ".a==1"), ('{"a":[1,2}', "1 in .a"),
    ('{"a":[1,{"x":1},4]}', "4 in .a"), ('{"a":[1,{"x":1},4]}', ".a"), ('{"a":[1,]}', "1 in .a"),
    ('{"a":[1 2]}', "1 in .a"), ('{"a":[true]}', "0 in .a"), ('{"a":{"x":1}}', ".a"), ("{}", ".a"),
    ("notjson", "!.a"), ('{"b":,"a":1}', ".a==1"), ('{"b":xyz,"a":1}', ".a==1"), ('{"b":nul,"a":1}', ".a==1"),
    ('{"b":[1,"a":1}', ".a==1"), ('{"A":1}', ".a==1"), ('{"a":"5 "}', ".a==5"), ('{"a":0.1}', ".a+0.2==0.3"),
    ('{"a b":1}', ".a"), ('{"a":"\\ud83d\\ude00"}', '.a=="😀"'),
]  # fmt: skip


def by_redtool(json: str, expression: str) -> bool | str:
    text = expression.encode()
    try:
        return compiled(text)(json.encode())
    except BadExpression as error:
        return text[error.at if error.at < len(text) else 0 :].decode("utf-8", "surrogateescape")


@pytest.fixture(scope="module", params=["redtool", *({"redis8"} & servers.named_servers().keys())])
def match(request: pytest.FixtureRequest) -> Iterator[Match]:
    if request.param == "redtool":
        yield by_redtool
        return
    with servers.running("redis8") as server:

        def by_redis(json: str, expression: str) -> bool | str:
            server.call("VADD", "k", "VALUES", 1, 1, "e")
            server.call("VSETATTR", "k", "e", json)
            reply = server.call("VSIM", "k", "ELE", "e", "FILTER", expression)
            return bool(reply) if isinstance(reply, list) else str(reply).partition("near: ")[2]

        yield by_redis


@pytest.mark.parametrize("expression", MATCHES)
def test_matches(match: Match, expression: str) -> None:
    assert match(JSON, expression) is True


@pytest.mark.parametrize("expression", OTHERS)
def test_does_not_match(match: Match, expression: str) -> None:
    assert match(JSON, expression) is False


@pytest.mark.parametrize("expression", MISTAKES)
def test_mistake(match: Match, expression: str) -> None:
    assert match(JSON, expression) == MISTAKES[expression]


@pytest.mark.parametrize(("json", "expression"), READ)
def test_field(match: Match, json: str, expression: str) -> None:
    assert match(json, expression) is True


@pytest.mark.parametrize(("json", "expression"), NOT_READ)
def test_field_that_differs_or_cannot_be_read(match: Match, json: str, expression: str) -> None:
    assert match(json, expression) in (False, expression)
