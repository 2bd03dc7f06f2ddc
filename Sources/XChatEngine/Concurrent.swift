import Dispatch

/// Applies `transform` to each element over all cores and returns the results in the order of the elements.
///
/// The calls are independent of each other and take some microseconds each; a few elements stay on this thread.
package func concurrentMap<Element: Sendable, Mapped: Sendable>(
    _ elements: [Element],
    _ transform: @Sendable (Element) -> Mapped
) -> [Mapped] {
    concurrentMap(elements.count) { transform(elements[$0]) }
}

/// Applies `transform` to each number below `count`, as for the elements of an array.
package func concurrentMap<Mapped: Sendable>(_ count: Int, _ transform: @Sendable (Int) -> Mapped) -> [Mapped] {
    let slice = 16
    guard count > slice else { return (0..<count).map(transform) }
    return unsafe [Mapped](unsafeUninitializedCapacity: count) { results, initializedCount in
        // Each iteration writes the slots of its own slice and no other; the call returns when all are written.
        nonisolated(unsafe) let slots = unsafe results
        DispatchQueue.concurrentPerform(iterations: (count + slice - 1) / slice) { iteration in
            for index in iteration * slice..<min((iteration + 1) * slice, count) {
                unsafe slots.initializeElement(at: index, to: transform(index))
            }
        }
        initializedCount = count
    }
}
