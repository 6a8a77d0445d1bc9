# Source this file in a terminal: . ./setup.sh      (bash or zsh)
#
# It sets SWF_HOME to the folder in which this file lies, and puts the testbed's commands on the PATH where there is an
# environment in .venv beside it. Sourcing it again changes nothing.

if [ -n "${BASH_VERSION:-}" ]; then
    _swf_file="${BASH_SOURCE[0]}"
    [ "$_swf_file" != "$0" ] || _swf_run=1
elif [ -n "${ZSH_VERSION:-}" ]; then
    # In a pair of quotes of its own, as other shells cannot read it.
    eval '_swf_file="${(%):-%x}"'
    case "${ZSH_EVAL_CONTEXT:-}" in *:file*) ;; *) _swf_run=1 ;; esac
else
    _swf_file=""
fi

if [ -z "$_swf_file" ]; then
    echo "setup.sh: this shell is neither bash nor zsh: say export SWF_HOME=FOLDER yourself" >&2
elif [ -n "${_swf_run:-}" ]; then
    echo "setup.sh: a program cannot change the terminal that runs it: source this file instead: . $_swf_file" >&2
    exit 2
else
    SWF_HOME="$(CDPATH='' cd -- "$(dirname -- "$_swf_file")" && pwd)"
    export SWF_HOME
    if [ -d "$SWF_HOME/.venv/bin" ]; then
        case ":$PATH:" in
            *":$SWF_HOME/.venv/bin:"*) ;;
            *) export PATH="$SWF_HOME/.venv/bin:$PATH" ;;
        esac
    fi
    echo "SWF_HOME is $SWF_HOME" >&2
fi
unset _swf_file _swf_run
