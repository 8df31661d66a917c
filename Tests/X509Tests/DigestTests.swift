import Testing

@testable import X509

@Suite struct DigestTests {
    @Test(
        "SHA-256 of FIPS 180-4's examples",
        arguments: [
            "": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "abc": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq":
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
        ])
    func sha256(_ row: (key: String, value: String)) {
        #expect(hexadecimal(Digest.sha256(Array(row.key.utf8))) == row.value)
    }

    @Test(
        "HMAC of RFC 4231's examples",
        arguments: [
            (
                [UInt8](repeating: 0x0B, count: 20), Array("Hi There".utf8),
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
            ),
            (
                Array("Jefe".utf8), Array("what do ya want for nothing?".utf8),
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
            ),
            (
                [UInt8](repeating: 0xAA, count: 20), [UInt8](repeating: 0xDD, count: 50),
                "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"
            ),
            (
                [UInt8](repeating: 0xAA, count: 131),
                Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
            ),
            ([], [], "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"),  // of Python's hmac
        ])
    func hmac(key: [UInt8], message: [UInt8], code: String) {
        #expect(hexadecimal(Digest.hmac(key: key, message)) == code)
    }

    @Test(
        "scrypt of RFC 7914's examples",
        arguments: [
            (
                "", "", Digest.ScryptCost(rounds: 16, blockSize: 1, parallelism: 1),
                "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442"
                    + "fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906"
            ),
            (
                "password", "NaCl", Digest.ScryptCost(rounds: 1024, blockSize: 8, parallelism: 16),
                "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"
                    + "2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640"
            ),
        ])
    func scrypt(_ secret: String, salt: String, cost: Digest.ScryptCost, expected: String) {
        let derived = unsafe Array(secret.utf8).withUnsafeBytes { secret in
            unsafe Digest.scrypt(secret, salt: Array(salt.utf8), cost: cost, count: 64)
        }
        #expect(derived.map(hexadecimal) == expected)
    }

    @Test(
        "A cost that is invalid or too high gives nothing",
        arguments: [
            Digest.ScryptCost(rounds: 15, blockSize: 8, parallelism: 1),
            Digest.ScryptCost(rounds: 0, blockSize: 8, parallelism: 1),
            Digest.ScryptCost(rounds: 1 << 20, blockSize: 8, parallelism: 1),
            Digest.ScryptCost(rounds: 16, blockSize: 0, parallelism: 1),
        ])
    func badCost(_ cost: Digest.ScryptCost) {
        let derived = unsafe [UInt8](repeating: 1, count: 6).withUnsafeBytes { secret in
            unsafe Digest.scrypt(secret, salt: [1], cost: cost, count: 32)
        }
        #expect(derived == nil)
    }
}
