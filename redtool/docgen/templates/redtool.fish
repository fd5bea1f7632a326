# fish completion for redtool, @note@.
#
# A state lists the words that may come next as WORD[!GROUP]=STATE; of a group one word may be used. @KINDS=STATE is
# any other word: k a key, n the number of keys to follow, c a command, p a parameter, s a section of INFO, t a type,
# a an ACL category, x what cannot be guessed. Option and verb arguments: f a file, r a target of the configuration.
# Tables are lists side by side: the names, a value for each, and what each is for.

@tables@

# The value beside a name: __redtool_get NAME TABLE; fails when the table has none of that name.
function __redtool_get
    set -l names $argv[2]_names
    set -l values $argv[2]_values
    set -l at (contains -i -- $argv[1] $$names)
    or return 1
    echo $$values[1][$at]
end

# The names of a table with what they are for: __redtool_described TABLE CASE.
function __redtool_described
    set -l names $argv[1]_names
    set -l abouts $argv[1]_abouts
    for at in (seq (count $$names))
        set -l name $$names[1][$at]
        test $argv[2] = lower; and set name (string lower -- $name)
        printf '%s\t%s\n' $name $$abouts[1][$at]
    end
end

function __redtool_complete
    set -l words (commandline -opc)
    set -l cur (commandline -ct)
    set -l i 2
    set -l case upper
    set -l forced
    set -l target
    set -l ask yes
    while set -q words[$i]; and string match -qr -- '^-.' $words[$i]
        if test "$words[$i]" = --
            set forced yes
            set i (math $i + 1)
            break
        end
        test "$words[$i]" = --askpass; and set ask
        set -l option (string replace -r '=.*' '' -- $words[$i])
        set -l goes (contains -- $option $__redtool_where; and echo yes)
        test -n "$goes"; and set -a target $words[$i]
        set -l path (string match -rg -- '^--store=(.*)' $words[$i])
        and not test -e "$path"; and set ask
        set -l kind (__redtool_get $option __redtool_options)
        if test -n "$kind"; and not string match -q -- '--*=*' $words[$i]
            set i (math $i + 1)
            if not set -q words[$i]
                __redtool_value $kind
                return
            end
            test -n "$goes"; and set -a target (string replace -r '^~/' "$HOME/" -- $words[$i])
            # a store that is not there yet is not to be made
            test $option = --store; and not test -e $target[-1]; and set ask
        end
        set i (math $i + 1)
    end
    if not set -q words[$i]
        if test -z "$forced"; and string match -q -- '-*' $cur
            __redtool_option_words
        else
            __redtool_first_words
        end
        return
    end
    set -l name $words[$i]
    set -l given
    string match -qr -- '[a-z]' $name; and set case lower
    if test -z "$forced"; and contains -- $name $__redtool_verbs_names
        __redtool_verb
    end
    if test -z "$given"; and contains -- (string upper -- $name) $__redtool_commands_names
        __redtool_grammar
    end
end

function __redtool_option_words --no-scope-shadowing
    set -l option (string match -r -- '^(--[^=]*=)' $cur)[1]
    if test -n "$option"
        set -l kind (__redtool_get (string trim -r -c = -- $option) __redtool_options)
        set cur (string replace -r '^[^=]*=' '' -- $cur)
        test -n "$kind"; and __redtool_value $kind | string replace -r '^' -- $option
        return
    end
    __redtool_described __redtool_options upper
end

function __redtool_first_words --no-scope-shadowing
    string match -qr -- '^[a-z]' $cur; and set case lower
    if test -z "$forced"; and not string match -qr -- '^[A-Z]' $cur
        __redtool_described __redtool_verbs upper | string match -v -r '^\S+ .*\t'
    end
    set -l commands (__redtool_described __redtool_commands $case)
    if test -z "$forced"; and test $case = lower
        set commands (string match -v -r "^($(string join '|' (string match -v '* *' -- $__redtool_verbs_names)))\t" -- $commands)
    end
    printf '%s\n' $commands
end

# Complete an argument of these kinds.
function __redtool_value --no-scope-shadowing
    set -l kind $argv[1]
    if string match -q -- '*|*' $kind
        __redtool_add (string split -n '|' -- $kind)
        return
    end
    string match -q -- '*k*' $kind; and __redtool_keys
    string match -q -- '*c*' $kind; and __redtool_add $__redtool_commands_names
    for letter in p s t a
        set -l list __redtool_list_$letter
        string match -q -- "*$letter*" $kind; and printf '%s\n' $$list
    end
    string match -q -- '*f*' $kind; and __fish_complete_path $cur
    if string match -q -- '*r*' $kind
        set -l file $REDTOOL_CONFIG $XDG_CONFIG_HOME/redtool/config.toml ~/.config/redtool/config.toml
        set -q XDG_CONFIG_HOME; or set -e file[-2]
        sed -n 's/^ *\[targets\.\([^]]*\)].*/\1/p' $file[1] 2>/dev/null
    end
end

# Offer words in the case of what was typed.
function __redtool_add --no-scope-shadowing
    if string match -qr -- '^[a-z]' $cur; or begin
            test -z "$cur"; and test $case = lower
        end
        printf '%s\n' (string lower -- $argv)
    else
        printf '%s\n' $argv
    end
end

# Key names, by asking the store; whatever goes wrong is not for here.
function __redtool_keys --no-scope-shadowing
    test -n "$ask"; or return
    set -l prefix (string replace -r '^["\']' '' -- $cur | string replace -a '\\' '')
    set -l pattern (string replace -ra -- '([[*?])' '\\\\$1' $prefix)'*'
    command $words[1] $target --wait 0.1 --raw scan --limit 100 $pattern 2>/dev/null </dev/null
end

function __redtool_verb --no-scope-shadowing
    set -l verb $name
    set -l at (math $i + 1)
    while set -q words[$at]; and contains -- "$verb $words[$at]" $__redtool_verbs_names
        set verb "$verb $words[$at]"
        set at (math $at + 1)
    end
    set -l edges (string split -n ' ' -- (__redtool_get $verb __redtool_verbs))
    while set -q words[$at]
        if string match -qr -- '^-[^=]*$' $words[$at]
            set -l own (string match -- "$words[$at]:*" $edges | string replace -r '^[^:]*:' '')
            test -n "$own"; or set own (__redtool_get $words[$at] __redtool_options)
            if test -n "$own"
                set at (math $at + 1)
                if not set -q words[$at]
                    set given yes
                    __redtool_value $own
                    return
                end
            end
        end
        set at (math $at + 1)
    end
    if string match -q -- '-*' $cur
        set given yes
        for option in (string match -- '-*' $edges | string replace -r ':.*' '')
            printf '%s\t%s\n' $option (__redtool_get "$verb $option" __redtool_verb_options)
        end
        __redtool_option_words
        return
    end
    for sub in (string match -- '=*' $edges | string replace = '')
        printf '%s\n' $sub
    end
    for kinds in (string match -- '@*' $edges | string replace @ '')
        __redtool_value $kinds
    end
end

function __redtool_grammar --no-scope-shadowing
    set -l state (__redtool_get (string upper -- $name) __redtool_commands)
    set -l gone
    set -l need 0
    set -l counted
    set -l edges (string split -n ' ' -- $__redtool_states[$state])
    for word in $words[(math $i + 1)..]
        set -l token (string match -r -- '^'(string escape --style=regex -- (string upper -- $word))'[!=].*' $edges)
        set -l edge
        if test -n "$token"; and test $need -eq 0
            set edge $token[1]
            set -a gone (string match -rg -- '!(.*)=' $edge)
        else
            set edge (string match -- '@*' $edges)
            test -n "$edge"; or return
            test $need -gt 0; and set need (math $need - 1)
            if string match -qr -- '^@[^=]*n' $edge; and string match -qr -- '^[0-9]{1,6}$' $word
                set need $word
                set counted yes
            end
        end
        set state (string replace -r '.*=' '' -- $edge)
        set edges (string split -n ' ' -- $__redtool_states[$state])
    end
    for edge in $edges
        set -l token (string replace -r '[!=].*' '' -- $edge)
        if string match -q -- '@*' $token
            set -l kinds (string replace @ '' -- $token)
            test -n "$counted"; and test $need -eq 0; and set kinds (string replace k '' -- $kinds)
            test -n "$kinds"; and __redtool_value $kinds
        else if test $need -eq 0; and not contains -- (string match -rg -- '!(.*)=' $edge; or echo none) $gone
            __redtool_add $token
        end
    end
end

complete -c redtool -f -a '(__redtool_complete)'
