# shellcheck shell=sh
# The suites of the bindings, for the scripts that run them: to be read after env.sh and
# interop/programs.sh. win64_build may name another build of the 64-bit DLL.

# tests NAME COMMAND...: a step, and what its log says of its tests: how many there were,
# and which do not apply to this platform.
tests() {
    step "$@" || return
    sed -nE -e 's/\x1b\[[0-9;]*m//g' -e 's/\r$//' \
        -e 's/^.*Test *#[0-9]*: ([^ ]*) .*\*\*\*(Skipped).*/\2: \1/p' \
        -e 's/^ *(\[SKIPPED\].*)/\1/p' -e '/\[SKIP\]/p' -e '/^SKIPPED/p' -e '/\[FASTER\]/p' \
        -e '/^[0-9]+% tests passed/p' -e '/^[0-9]+ passed.* in /p' -e '/ Total: [0-9]+, /p' \
        "$log" | sed 's/^ */            /'
    nim=$(grep -c '^ *\[OK\]' "$log")
    [ "$nim" -eq 0 ] || echo "            $nim passed"
}

# dll BUILD: a DLL as Windows programs call it.
dll() { printf 'Z:%s' "$root/build/$1/winshm.dll" | sed 's,/,\\,g'; }

# with_library PLATFORM COMMAND...: for bindings, which load the library at run time.
with_library() (
    case $1 in
    linux | arm64) WINSHM_LIBRARY=$root/build/$1/libwinshm.so.0 ;;
    win64) WINSHM_LIBRARY=$(dll "${win64_build:-win64}") ;;
    *) WINSHM_LIBRARY=$(dll "$1") ;;
    esac
    export WINSHM_LIBRARY
    shift
    "$@"
)

nim_tests() {
    case $1 in
    linux) set -- linux '' '' ;;
    win64) set -- win64 '-d:mingw --cpu:amd64' .exe ;;
    win32) set -- win32 '-d:mingw --cpu:i386' .exe ;;
    esac
    program=$programs/$1/nim/test_winshm$3
    # shellcheck disable=SC2086  # The flags are a list of words.
    nim c --hints:off $2 --nimcache:"build/nimcache/$1-tests" -o:"$program" \
        tests/bindings/nim/test_winshm.nim || return
    with_library "$1" timeout 600 ${3:+"$WINE"} "$program"
}

csharp_tests() {
    case $1 in
    linux)
        dotnet build -c Release -o "$programs/linux/csharp/tests" tests/bindings/csharp || return
        with_library linux timeout 600 dotnet "$programs/linux/csharp/tests/Winshm.Tests.dll"
        ;;
    win64)
        dotnet publish -c Release -r win-x64 --self-contained \
            -o "$programs/win64/csharp/tests" tests/bindings/csharp || return
        with_library win64 timeout 600 "$WINE" \
            "$programs/win64/csharp/tests/Winshm.Tests.exe" -noColor
        ;;
    esac
}

# pytest OPTION...: with Ctrl+C at work, which the shell takes from background jobs.
pytest() {
    env --default-signal=INT "$PYTHON" -B -m pytest -q -rs -p no:cacheprovider "$@"
}

# Debian's pytest is the same on Windows, but its plug-ins are not all.
windows_pytest() {
    with_library win64 env PYTHONPATH='Z:\usr\lib\python3\dist-packages' \
        PYTEST_DISABLE_PLUGIN_AUTOLOAD=1 \
        "$WINE" "$WINSHM_WINDOWS_PYTHON" -B -m pytest -q -rs -p no:cacheprovider "$@"
}
