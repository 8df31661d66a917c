import Testing

@testable import Prompts

@Suite("The programs that a prompt names")
struct AncestryTests {
    @Test(
        "A command is named whole, with the program that runs it where that has another name",
        arguments: [
            ("bash", "bash", ["bash"], "bash"),
            ("aws", "python3.11", ["python3.11", "aws"], "aws (python3.11)"),
            ("python", "python3.11", ["python"], "python3.11"),
            ("sh", "dash", ["sh"], "sh (dash)"),
            // The kernel keeps 15 bytes of a name (proc_pid_comm(5)).
            ("tokenward-crede", "tokenward-credential-process", [], "tokenward-credential-process"),
            ("deploy-everythi", "python3.11", ["python3", "deploy-everything"], "deploy-everything (python3.11)"),
            ("deploy-everythi", "python3.11", ["python3", "other"], "deploy-everythi (python3.11)"),
            // A thread's own name, and a process whose program may not be read.
            ("worker", "node", ["node"], "worker (node)"),
        ] as [(String, String, [String], String)])
    func name(comm: String, program: String, arguments: [String], expected: String) {
        #expect(Ancestry.name(comm: comm, program: program, arguments: arguments) == expected)
        #expect(Ancestry.name(comm: comm, program: nil, arguments: arguments) == comm)
    }

    @Test(
        "The user's home is written as ~",
        arguments: [
            ("/home/me/infra", "/home/me", "aws, from bash in ~/infra"),
            ("/home/me", "/home/me", "aws, from bash in ~"),
            ("/home/meadow", "/home/me", "aws, from bash in /home/meadow"), ("/srv", "/", "aws, from bash in /srv"),
            ("/srv", nil, "aws, from bash in /srv"), (nil, "/home/me", "aws, from bash"),
        ] as [(String?, String?, String)])
    func folder(folder: String?, home: String?, expected: String) {
        let programs = [("aws", folder), ("bash", "/")].map { Ancestry.Program(name: $0, folder: $1) }
        #expect(Ancestry(programs).describe(home: home) == expected)
    }

    @Test("Three programs are named at most")
    func most() {
        let programs = ["a", "b", "c", "d"].map { Ancestry.Program(name: $0, folder: nil) }
        #expect(Ancestry(programs).describe() == "a, from b, from c")
    }

    @Test("A process that has ended is not named")
    func ended() {
        // The largest process number is 2^22 (proc_sys_kernel(5)).
        #expect(Ancestry(of: .max).describe() == "a program that has ended")
    }
}
