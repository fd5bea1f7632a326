# bash completion for redtool, @note@.
#
# A state lists the words that may come next as WORD[!GROUP]=STATE; of a group one word may be used. @KINDS=STATE is
# any other word: k a key, n the number of keys to follow, c a command, p a parameter, s a section of INFO, t a type,
# a an ACL category, x what cannot be guessed. Option and verb arguments: f a file, r a target of the configuration.

declare -gA _redtool_options=(
@options@
)
declare -g _redtool_where=' @where@ '
declare -gA _redtool_verbs=(
@verbs@
)
declare -gA _redtool_commands=(
@commands@
)
declare -ga _redtool_states=(''
@states@
)
declare -gA _redtool_lists=(
@lists@
)

_redtool() {
    local IFS=$' \t\n' cur before words=() target=() mute= i=1 forced= option= case=upper
    _redtool_split
    while ((i < ${#words[@]})) && [[ ${words[i]} == -?* ]]; do
        _redtool_option || return
    done
    if ((i >= ${#words[@]})); then
        if [[ ! $forced && $cur == -* ]]; then
            _redtool_option_words
        else
            _redtool_first_words
        fi
    else
        local name=${words[i]}
        [[ $name == *[a-z]* ]] && case=lower
        if [[ ! $forced && ${_redtool_verbs[$name]+there} ]]; then
            _redtool_verb
        fi
        if [[ ! $option && ${_redtool_commands[${name^^}]-} ]]; then
            _redtool_grammar
        fi
    fi
    _redtool_trim
}

# The line as words: readline splits at : and = too, which are within words here.
_redtool_split() {
    local rest=${COMP_LINE:0:COMP_POINT} at word
    for ((at = 0; at <= COMP_CWORD; at++)); do
        word=${COMP_WORDS[at]}
        ((at == COMP_CWORD)) && word=${word:0:${#rest}}
        if ((at)) && [[ $rest != [[:blank:]]* ]]; then
            words[${#words[@]}-1]+=$word
        else
            words+=("$word")
        fi
        rest=${rest#*"$word"}
    done
    cur=${words[${#words[@]}-1]}
    unset "words[${#words[@]}-1]"
    before=$cur cur=${cur#[\"\']}
}

# Pass the option at words[i]; fails when its value is what is being typed, which is then completed.
_redtool_option() {
    local word=${words[i]} kind value
    if [[ $word == -- ]]; then
        forced=yes i=$((i + 1))
        return 0
    fi
    kind=${_redtool_options[${word%%=*}]-}
    [[ $word == --askpass ]] && mute=yes
    if [[ $kind && $word != --*=* ]]; then
        if ((i + 1 >= ${#words[@]})); then
            _redtool_value "$kind"
            _redtool_trim
            return 1
        fi
        value=${words[i + 1]}
        _redtool_goes "$word" "$(_redtool_plain "$value")"
        i=$((i + 2))
    else
        if [[ $kind ]]; then
            _redtool_goes "${word%%=*}" "$(_redtool_plain "${word#*=}")"
        else
            _redtool_goes "$word"
        fi
        i=$((i + 1))
    fi
}

# Keep an option that says which store or server, for asking it; one that is not there yet is not to be made.
_redtool_goes() {
    [[ $_redtool_where == *" $1 "* ]] && target+=("$@")
    [[ $1 == --store && ! -e $2 ]] && mute=yes
    return 0
}

# A word of the line without quotes and with its ~; nothing in it is run.
_redtool_plain() {
    local word=${1//[\"\'\\]/}
    printf '%s' "${word/#\~\//$HOME/}"
}

_redtool_option_words() {
    local word
    if [[ $cur == --*=* ]]; then
        local kind=${_redtool_options[${cur%%=*}]-} head=${cur%%=*}= cur=${cur#*=}
        COMPREPLY=()
        [[ $kind ]] && _redtool_value "$kind"
        COMPREPLY=("${COMPREPLY[@]/#/$head}")
        return
    fi
    for word in "${!_redtool_options[@]}"; do
        [[ $word == "$cur"* ]] && COMPREPLY+=("$word")
    done
}

_redtool_first_words() {
    local word
    [[ $cur == [a-z]* ]] && case=lower
    if [[ ! $forced && $cur != [A-Z]* ]]; then
        for word in "${!_redtool_verbs[@]}"; do
            [[ $word == "$cur"* && $word != *' '* ]] && COMPREPLY+=("$word")
        done
    fi
    for word in "${!_redtool_commands[@]}"; do
        [[ $case == lower ]] && word=${word,,}
        [[ $word == "$cur"* && (-n $forced || -z ${_redtool_verbs[$word]+verb}) ]] && COMPREPLY+=("$word")
    done
}

# Complete an argument of these kinds.
_redtool_value() {
    local kind=$1 word
    if [[ $kind == *\|* ]]; then
        _redtool_add ${kind//\|/ }
        return
    fi
    [[ $kind == *k* ]] && _redtool_keys
    [[ $kind == *c* ]] && case=${case:-upper} _redtool_add "${!_redtool_commands[@]}"
    for word in p s t a; do
        [[ $kind == *$word* ]] && case=lower _redtool_add ${_redtool_lists[$word]}
    done
    if [[ $kind == *f* ]]; then
        compopt -o filenames 2>/dev/null
        while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -f -- "$(_redtool_plain "$cur")")
    fi
    if [[ $kind == *r* ]]; then
        local file=${REDTOOL_CONFIG:-${XDG_CONFIG_HOME:-$HOME/.config}/redtool/config.toml}
        _redtool_add $(sed -n 's/^ *\[targets\.\([^]]*\)].*/\1/p' "$file" 2>/dev/null)
    fi
}

# Offer those of some words that begin like what was typed, in its case.
_redtool_add() {
    local word lower=
    [[ $cur == [a-z]* || (! $cur && $case == lower) ]] && lower=yes
    for word; do
        [[ $lower ]] && word=${word,,}
        [[ $word == "$cur"* ]] && COMPREPLY+=("$word")
    done
}

# Key names, by asking the store; whatever goes wrong is not for here.
_redtool_keys() {
    local pattern=${cur//\\/} key
    [[ $mute ]] && return
    pattern=${pattern//\[/\\[} pattern=${pattern//\*/\\*} pattern=${pattern//\?/\\?}
    while IFS= read -r key; do
        [[ $before == [\"\']* ]] || printf -v key %q "$key"
        COMPREPLY+=("$key")
    done < <("$(_redtool_plain "${words[0]}")" "${target[@]}" --wait 0.1 --raw scan --limit 100 "$pattern*" 2>/dev/null </dev/null)
}

_redtool_verb() {
    local path=$name at=$((i + 1)) edge kind kinds= subs=() own=()
    while ((at < ${#words[@]})) && [[ ${_redtool_verbs[$path ${words[at]}]+there} ]]; do
        path+=" ${words[at]}" at=$((at + 1))
    done
    for ((; at < ${#words[@]}; at++)); do
        option=
        [[ ${words[at]} == -* && ${words[at]} != *=* ]] || continue
        for edge in ${_redtool_verbs[$path]}; do
            [[ $edge == "${words[at]}":* ]] && option=${edge#*:}
        done
        [[ $option ]] || option=${_redtool_options[${words[at]}]-}
        [[ $option ]] && at=$((at + 1))
    done
    if ((at > ${#words[@]})); then
        _redtool_value "$option"
        return
    fi
    option=
    for edge in ${_redtool_verbs[$path]}; do
        case $edge in
            =*) subs+=("${edge#=}") ;;
            @*) kinds+=${edge#@} ;;
            *) own+=("${edge%%:*}") ;;
        esac
    done
    if [[ $cur == -* ]]; then
        _redtool_add "${own[@]}"
        _redtool_option_words
        option=given
        return
    fi
    _redtool_add "${subs[@]}"
    [[ $kinds ]] && _redtool_value "$kinds"
}

_redtool_grammar() {
    local state=${_redtool_commands[${name^^}]} at word edge found any kinds group gone=' ' need=0 counted=
    for ((at = i + 1; at < ${#words[@]}; at++)); do
        word=${words[at]^^} found= any= group=
        for edge in ${_redtool_states[state]}; do
            case $edge in
                @*) any=$edge ;;
                "$word"=* | "$word"!*) ((need)) || found=$edge ;;
            esac
        done
        if [[ $found == *!* ]]; then
            group=${found#*!}
            gone+=${group%%=*}' '
        elif [[ ! $found ]]; then
            [[ $any ]] || return
            found=$any
            ((need)) && need=$((need - 1))
            [[ ${any%%=*} == *n* && $word =~ ^[0-9]{1,6}$ ]] && need=$((10#$word)) counted=yes
        fi
        state=${found##*=}
    done
    for edge in ${_redtool_states[state]}; do
        word=${edge%%=*} group=
        [[ $word == *!* ]] && group=${word#*!}
        if [[ $word == @* ]]; then
            kinds=${word#@}
            [[ $counted && $need == 0 ]] && kinds=${kinds//k/}
            _redtool_value "$kinds"
        elif ((need == 0)) && [[ ! $group || $gone != *" $group "* ]]; then
            _redtool_add "${word%%!*}"
        fi
    done
}

# Readline replaces only what follows the last : or = of the word.
_redtool_trim() {
    local head='' at sign
    for sign in : =; do
        [[ $COMP_WORDBREAKS == *$sign* && $cur == *$sign* ]] && [[ ${cur%"${cur##*$sign}"} == "$head"* ]] && head=${cur%"${cur##*$sign}"}
    done
    for at in "${!COMPREPLY[@]}"; do
        COMPREPLY[at]=${COMPREPLY[at]#"$head"}
    done
}

complete -F _redtool redtool
