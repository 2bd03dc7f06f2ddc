import Dispatch

/// Applies `transform` to each element over all cores and returns the results in the order of the elements.
///
/// The calls are independent of each other and take some microseconds each; a few elements stay on this thread.
package func concurrentMap<Element: Sendable, Mapped: Sendable>(
    _ elements: [Element],
    _ transform: @Sendable (Element) -> Mapped
) -> [Mapped] {
    let slice = 16
    guard elements.count > slice else { return elements.map(transform) }
    return unsafe [Mapped](unsafeUninitializedCapacity: elements.count) { results, count in
        // Each iteration writes the slots of its own slice and no other; the call returns when all are written.
        nonisolated(unsafe) let slots = unsafe results
        DispatchQueue.concurrentPerform(iterations: (elements.count + slice - 1) / slice) { iteration in
            for index in iteration * slice..<min((iteration + 1) * slice, elements.count) {
                unsafe slots.initializeElement(at: index, to: transform(elements[index]))
            }
        }
        count = elements.count
    }
}
