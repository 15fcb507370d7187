# safepip: `pip install` and `pip uninstall` go through safepip; everything else is the real pip.
function _safepip_shim
    /bin/sh -c '@SHIM@' $argv
end
function _safepip_pip
    set -l name $argv[1]
    set -e argv[1]
    if test -z "$SAFEPIP_INSIDE"; and test "$SAFEPIP_GUARD" != off
        if contains -- install $argv; or contains -- uninstall $argv
            _safepip_shim $name $argv
            return
        end
    end
    command $name $argv
end
function pip --wraps pip
    _safepip_pip pip $argv
end
function pip3 --wraps pip3
    _safepip_pip pip3 $argv
end
if command -q uv
    function uv --wraps uv
        _safepip_shim uv $argv
    end
end
function _safepip_complete
    set -lx COMP_WORDS (commandline -opc) (commandline -ct)
    set -lx COMP_CWORD (math (count $COMP_WORDS) - 1)
    set -lx COMP_WORDS (string join ' ' -- $COMP_WORDS)
    set -lx PIP_AUTO_COMPLETE 1
    command safepip 2>/dev/null | string split ' '
end
complete -f -c safepip -a '(_safepip_complete)'
