/// Maps elements with concurrent calls; the results are in the order of the elements.
///
/// Use it for calls that wait for the network. The engine's `concurrentMap`, which has no limit, is for computations.
///
/// - Parameters:
///   - elements: The elements; there is one call for each.
///   - limit: The most calls at the same time, at least 1.
///   - transform: Makes the call for one element.
/// - Returns: The results, in the order of `elements`.
/// - Throws: The first error of a call. After it, the calls in progress are cancelled and no further call begins.
package func concurrentMap<Element: Sendable, Mapped: Sendable, Failure: Error>(
    _ elements: [Element],
    atATime limit: Int,
    _ transform: @escaping @Sendable (Element) async throws(Failure) -> Mapped
) async throws(Failure) -> [Mapped] {
    let result = await withTaskGroup(of: (Int, Result<Mapped, Failure>).self) { group in
        var results: [Mapped?] = Array(repeating: nil, count: elements.count)
        var failure: Failure?
        func take(_ number: Int, _ result: Result<Mapped, Failure>) {
            switch result {
            case .success(let mapped): results[number] = mapped
            case .failure(let error):
                failure = failure ?? error
                group.cancelAll()
            }
        }
        for (number, element) in elements.enumerated() {
            if number >= limit, let (done, result) = await group.next() { take(done, result) }
            guard failure == nil else { break }
            group.addTask {
                do throws(Failure) {
                    return (number, .success(try await transform(element)))
                } catch {
                    return (number, .failure(error))
                }
            }
        }
        while let (done, result) = await group.next() { take(done, result) }
        return failure.map(Result<[Mapped], Failure>.failure) ?? .success(results.compactMap { $0 })
    }
    return try result.get()
}
