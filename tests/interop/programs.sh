# shellcheck shell=sh
# Builds the programs that run.sh and demo.sh start: those called share and watch, the
# test peers, the outsiders, which know nothing of winshm, and the examples in C.
#
#   root=/path/to/checkout; . "$root/tests/interop/programs.sh"
#   build_c "share watch" linux win32
#
# The first word lists the programs, of which a language makes those that it has; the
# platforms follow, which are linux, win64 and win32. programs.py knows the results.

programs=${root:?}/build/programs
c_examples='counter notify recover parts drift handover ownlock frames'

# Windows programs find the library beside them, Linux programs remember where it is.
build_c() (
    names=$1
    shift
    for platform; do
        out=$programs/$platform
        mkdir -p "$out"
        exe=.exe library=$out/winshm.dll
        case $platform in
        linux)
            compiler=gcc exe=''
            library="$root/build/linux/libwinshm.so -Wl,-rpath,$root/build/linux"
            ;;
        win64) compiler=x86_64-w64-mingw32-gcc ;;
        win32) compiler=i686-w64-mingw32-gcc ;;
        esac
        [ -z "$exe" ] || cp "$root/build/$platform/winshm.dll" "$out" || exit
        for name in $names; do
            source=tests/interop/$name.c linked=$library standard=gnu11
            case $name in
            outsider) linked='' ;;
            counter | notify | recover | parts | drift | handover | ownlock | frames)
                source=bindings/c/examples/$name.c standard='c11 -Wpedantic'
                ;;
            layouts) source=tests/interop/layouts/layouts.c ;;
            esac
            # shellcheck disable=SC2086  # The library and the standard are lists of words.
            "$compiler" -std=$standard -O2 -Wall -Wextra -Werror -I "$root/include" \
                -o "$out/$name$exe" "$root/$source" $linked || exit
        done
    done
)

# The examples are C++, too. Clang has the headers of both systems at hand.
examples_are_cpp() {
    for target in x86_64-linux-gnu x86_64-w64-mingw32 i686-w64-mingw32; do
        for name in $c_examples; do
            clang --target=$target -x c++ -std=c++17 -fsyntax-only -Wall -Wextra -Wpedantic \
                -Werror -I "$root/include" "$root/bindings/c/examples/$name.c" || return
        done
    done
}

# The headers in each standard, with every warning that a user may have on, for each
# compiler and system: Clang in its mode for Visual C++ has none of GNU's extensions. What
# another process cannot use is refused.
header_is_clean() {
    warnings='-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wundef
        -Wcast-qual -Wcast-align=strict -Wduplicated-cond -Wduplicated-branches -Wlogical-op
        -Wdouble-promotion -Wfloat-equal -Wformat=2 -Wredundant-decls -Wswitch-enum
        -Wwrite-strings -Wmissing-declarations'
    c_warnings='-Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wc++-compat'
    cpp_warnings='-Wold-style-cast -Wuseless-cast -Wzero-as-null-pointer-constant -Weffc++
        -Woverloaded-virtual -Wextra-semi -Wnoexcept -Wctor-dtor-privacy -Wsuggest-override'
    everything='-Weverything -Wno-padded -Wno-c++98-compat -Wno-c++98-compat-pedantic'
    for compiler in gcc clang x86_64-w64-mingw32-gcc i686-w64-mingw32-gcc \
        'clang --target=x86_64-pc-windows-msvc' 'clang --target=i686-pc-windows-msvc' \
        'clang --target=aarch64-pc-windows-msvc'; do
        standards='c99 c11 c17 c2x'
        case $compiler in *-gcc) ;; *) standards="$standards c++11 c++17 c++20" ;; esac
        # Microsoft's own headers are for msvc.sh.
        case $compiler in *msvc) bare='-ffreestanding -fgnuc-version=4.2.1' ;; *) bare= ;; esac
        for standard in $standards; do
            case $standard in c++*) language=c++ ;; *) language=c ;; esac
            case $language-$compiler in
            *-clang*) flags="$bare $everything" ;;
            c-*) flags="$warnings $c_warnings" ;;
            *) flags="$warnings $cpp_warnings" ;;
            esac
            # shellcheck disable=SC2086  # Compiler and flags are lists of words.
            set -- $compiler $flags -x $language -std=$standard -fsyntax-only -Werror \
                -I "$root/include"
            "$@" "$root/tests/interop/header.c" || return
            case $language-$compiler in
            c++-gcc | c++-clang)
                "$@" "$root/tests/packages/c/hpp.cpp" || return
                hpp_refuses "$@" || return
                ;;
            esac
            [ "$standard" != c99 ] || continue
            for member in 'char *member' 'long double member' 'int member[2][2]' \
                'struct point member' 'struct point member[2]' 'int (*member)(void)'; do
                ! "$@" "-DREFUSED=$member" "$root/tests/interop/header.c" 2>/dev/null || {
                    echo "$compiler, $standard: takes $member"
                    return 1
                }
            done
        done
    done
}

# hpp_refuses COMPILER...: to copy or to point at what only this process can use.
hpp_refuses() {
    "$@" '-DREFUSED=write(7)' "$root/tests/packages/c/hpp.cpp" || return
    for call in 'write(text)' 'write(words)' 'read<char *>()' 'read<std::string>()' \
        'at<char *>()' 'at<std::string>()'; do
        ! "$@" "-DREFUSED=$call" "$root/tests/packages/c/hpp.cpp" 2>/dev/null || {
            echo "$1: takes region::$call"
            return 1
        }
    done
}

build_nim() (
    names=$1
    shift
    for platform; do
        case $platform in
        linux) flags='' exe='' ;;
        win64) flags='-d:mingw --cpu:amd64' exe=.exe ;;
        win32) flags='-d:mingw --cpu:i386' exe=.exe ;;
        esac
        for name in $names; do
            case $name in
            share) source=tests/interop/share.nim ;;
            peer) source=tests/interop/peer.nim ;;
            layouts) source=tests/interop/layouts/layouts.nim ;;
            handover | frames) source=bindings/nim/examples/$name.nim ;;
            *) continue ;;
            esac
            # shellcheck disable=SC2086  # The flags are a list of words.
            nim c -d:release --hints:off $flags \
                --nimcache:"$root/build/nimcache/$platform-$name" \
                -o:"$programs/$platform/nim/$name$exe" "$root/$source" || exit
        done
    done
)

# On Linux the SDK's own runtime runs them; Wine has none, so they bring it along.
build_csharp() (
    names=$1
    shift
    for platform; do
        for name in $names; do
            case $name-$platform in
            share-*) project=tests/interop/share_csharp/Share.csproj ;;
            peer-*) project=tests/interop/peer_csharp/Peer.csproj ;;
            layouts-*) project=tests/interop/layouts/layouts_csharp/Layouts.csproj ;;
            handover-*) project=bindings/csharp/examples/Examples.csproj ;;
            # Named maps of .NET exist on Windows only.
            outsider-win64) project=tests/interop/outsider_csharp/Outsider.csproj ;;
            *) continue ;;
            esac
            case $platform in
            linux) target='' ;;
            win64) target='-r win-x64 --self-contained' ;;
            esac
            # shellcheck disable=SC2086  # The target is a list of words.
            dotnet publish -c Release $target \
                -o "$programs/$platform/csharp/$name" "$root/$project" || exit
        done
    done
)
