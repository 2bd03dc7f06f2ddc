import CSodium

/// Direct calls of libsodium that write into memory of the caller: the baseline of the benchmarks.
///
/// For benchmarks only. Only lengths are checked, and the caller calls ``Sodium/initialize()`` first.
package enum BareCalls {
    /// `randombytes_buf` for the nonce and `crypto_secretbox_easy`.
    package static func secretBoxSeal(_ message: Span<UInt8>, key: Span<UInt8>, into box: inout [UInt8]) -> Bool {
        let nonceCount = SecretBox.nonceByteCount
        guard key.count == SecretBox.keyByteCount, box.count == message.count + SecretBox.overheadByteCount else {
            return false
        }
        let count = UInt64(message.count)
        return unsafe withPointers(message, key) { message, key in
            unsafe box.withUnsafeMutableBufferPointer { box in
                guard let start = box.baseAddress else { return false }
                unsafe randombytes_buf(start, nonceCount)
                return unsafe crypto_secretbox_easy(start + nonceCount, message, count, start, key) == 0
            }
        }
    }

    /// `crypto_secretbox_open_easy`.
    package static func secretBoxOpen(_ box: Span<UInt8>, key: Span<UInt8>, into message: inout [UInt8]) -> Bool {
        let nonceCount = SecretBox.nonceByteCount
        guard key.count == SecretBox.keyByteCount, box.count == message.count + SecretBox.overheadByteCount else {
            return false
        }
        let count = UInt64(box.count - nonceCount)
        return unsafe withPointers(box, key) { box, key in
            unsafe message.withUnsafeMutableBufferPointer { message in
                guard let start = message.baseAddress else { return false }
                return unsafe crypto_secretbox_open_easy(start, box + nonceCount, count, box, key) == 0
            }
        }
    }

    /// `crypto_sign_detached`.
    package static func sign(_ message: Span<UInt8>, secretKey: Span<UInt8>, into signature: inout [UInt8]) -> Bool {
        guard secretKey.count == Sign.secretKeyByteCount, signature.count == Sign.signatureByteCount else {
            return false
        }
        let count = UInt64(message.count)
        return unsafe withPointers(message, secretKey) { message, secretKey in
            unsafe signature.withUnsafeMutableBufferPointer { signature in
                guard let start = signature.baseAddress else { return false }
                return unsafe crypto_sign_detached(start, nil, message, count, secretKey) == 0
            }
        }
    }

    /// `crypto_sign_verify_detached`.
    package static func verify(_ signature: Span<UInt8>, _ message: Span<UInt8>, publicKey: Span<UInt8>) -> Bool {
        guard signature.count == Sign.signatureByteCount, publicKey.count == Sign.publicKeyByteCount else {
            return false
        }
        let count = UInt64(message.count)
        return unsafe withPointers(signature, message, publicKey) { signature, message, publicKey in
            unsafe crypto_sign_verify_detached(signature, message, count, publicKey) == 0
        }
    }

    /// `crypto_box_seal`.
    package static func sealedBoxSeal(_ message: Span<UInt8>, to publicKey: Span<UInt8>, into box: inout [UInt8])
        -> Bool
    {
        guard publicKey.count == SealedBox.publicKeyByteCount,
            box.count == message.count + SealedBox.overheadByteCount
        else { return false }
        let count = UInt64(message.count)
        return unsafe withPointers(message, publicKey) { message, publicKey in
            unsafe box.withUnsafeMutableBufferPointer { box in
                guard let start = box.baseAddress else { return false }
                return unsafe crypto_box_seal(start, message, count, publicKey) == 0
            }
        }
    }

    /// `crypto_box_seal_open`.
    package static func sealedBoxOpen(
        _ box: Span<UInt8>,
        publicKey: Span<UInt8>,
        secretKey: Span<UInt8>,
        into message: inout [UInt8]
    ) -> Bool {
        guard publicKey.count == SealedBox.publicKeyByteCount, secretKey.count == SealedBox.secretKeyByteCount,
            box.count == message.count + SealedBox.overheadByteCount
        else { return false }
        let count = UInt64(box.count)
        return unsafe withPointers(box, publicKey, secretKey) { box, publicKey, secretKey in
            unsafe message.withUnsafeMutableBufferPointer { message in
                guard let start = message.baseAddress else { return false }
                return unsafe crypto_box_seal_open(start, box, count, publicKey, secretKey) == 0
            }
        }
    }

    /// One stream of frames of equal length: `…_init_push`, then `…_push` for each frame.
    package static func streamSeal(
        _ plaintext: Span<UInt8>,
        key: Span<UInt8>,
        chunkLength: Int,
        into stream: inout [UInt8]
    ) -> Bool {
        guard 1...SecretStream.maximumChunkByteCount ~= chunkLength else { return false }
        let count = plaintext.count / chunkLength
        let frameLength = chunkLength + SecretStream.overheadByteCount
        guard key.count == SecretStream.keyByteCount, plaintext.count == count * chunkLength,
            stream.count == SecretStream.headerByteCount + count * frameLength
        else { return false }
        return unsafe withPointers(plaintext, key) { plaintext, key in
            unsafe stream.withUnsafeMutableBufferPointer { stream in
                guard let start = stream.baseAddress else { return false }
                var state = crypto_secretstream_xchacha20poly1305_state()
                defer { unsafe sodium_memzero(&state, MemoryLayout.size(ofValue: state)) }
                var status = unsafe crypto_secretstream_xchacha20poly1305_init_push(&state, start, key)
                let frames = unsafe start + SecretStream.headerByteCount
                for index in 0..<count {
                    let chunk = unsafe plaintext + index * chunkLength
                    let tag = index == count - 1 ? SecretStream.Tag.final : .message
                    status |= unsafe crypto_secretstream_xchacha20poly1305_push(
                        &state,
                        frames + index * frameLength,
                        nil,
                        chunk,
                        UInt64(chunkLength),
                        nil,
                        0,
                        tag.rawValue
                    )
                }
                return status == 0
            }
        }
    }

    /// One stream of frames of equal length: `…_init_pull`, then `…_pull` for each frame.
    package static func streamOpen(
        _ stream: Span<UInt8>,
        key: Span<UInt8>,
        chunkLength: Int,
        into plaintext: inout [UInt8]
    ) -> Bool {
        guard 1...SecretStream.maximumChunkByteCount ~= chunkLength else { return false }
        let count = plaintext.count / chunkLength
        let frameLength = chunkLength + SecretStream.overheadByteCount
        guard key.count == SecretStream.keyByteCount, plaintext.count == count * chunkLength,
            stream.count == SecretStream.headerByteCount + count * frameLength
        else { return false }
        return unsafe withPointers(stream, key) { stream, key in
            unsafe plaintext.withUnsafeMutableBufferPointer { plaintext in
                guard let start = plaintext.baseAddress else { return false }
                var state = crypto_secretstream_xchacha20poly1305_state()
                defer { unsafe sodium_memzero(&state, MemoryLayout.size(ofValue: state)) }
                var tag: UInt8 = 0
                var status = unsafe crypto_secretstream_xchacha20poly1305_init_pull(&state, stream, key)
                let frames = unsafe stream + SecretStream.headerByteCount
                for index in 0..<count {
                    status |= unsafe crypto_secretstream_xchacha20poly1305_pull(
                        &state,
                        start + index * chunkLength,
                        nil,
                        &tag,
                        frames + index * frameLength,
                        UInt64(frameLength),
                        nil,
                        0
                    )
                }
                return status == 0
            }
        }
    }
}
