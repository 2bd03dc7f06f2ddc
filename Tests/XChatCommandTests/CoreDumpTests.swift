// The limits and the memory of a process are read from /proc, which exists on Linux only.
#if os(Linux)
    import Foundation
    import TestSupport
    import Testing

    @Suite(.timeLimit(.minutes(1)))
    struct CoreDumpTests {
        /// Prints the limit of core dumps of a server, and whether another process of the same user reads its memory.
        private static let script = #"""
            ulimit -S -c "$(ulimit -H -c)"
            # Root reads the memory of every process with this capability.
            as_user=
            [ "$(id -u)" -ne 0 ] || as_user="setpriv --bounding-set=-sys_ptrace"
            $as_user sleep 60 & other=$!
            mkfifo out
            $as_user "$1" sandbox >out & server=$!
            # Tests start processes with SIGTERM blocked.
            trap 'kill -KILL $other $server; wait' EXIT
            read -r url <out
            grep -o 'Max core file size  *[^ ]* *[^ ]*' /proc/$server/limits | tr -s ' '
            # Only processes that may read a process's memory can read the links of its open files.
            $as_user readlink /proc/$other/fd/0 >link || exit 90
            if $as_user readlink /proc/$server/fd/0 >link; then echo readable; else echo unreadable; fi
            """#

        @Test func `the command writes no core dump, and other processes of the user do not read its memory`()
            async throws
        {
            let program = try #require(Program.executable)
            let outcome = try await Program.shell(Self.script, [program.path], in: Scratch())
            #expect(outcome.status == 0, "\(outcome.errors)")
            #expect(outcome.lines == ["Max core file size 0 0", "unreadable"])
        }

        @Test func `a report of a crash can read the memory when it is asked for`() async throws {
            let program = try #require(Program.executable)
            let outcome = try await Program.shell(
                Self.script,
                [program.path],
                in: Scratch(),
                environment: ["SWIFT_BACKTRACE": "enable=yes"]
            )
            #expect(outcome.lines == ["Max core file size 0 0", "readable"], "\(outcome.errors)")
        }
    }
#endif
