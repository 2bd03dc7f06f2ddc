import Foundation
import LibSodium

/// Maps elements on all processor cores; the results are in the order of the elements.
///
/// For independent calls that take some microseconds each. Up to 16 elements are mapped on the calling thread.
package func concurrentMap<Element: Sendable, Mapped: Sendable>(
    _ elements: [Element],
    _ transform: @Sendable (Element) -> Mapped
) -> [Mapped] {
    concurrentMap(elements.count) { transform(elements[$0]) }
}

/// Maps each number below `count` on all processor cores, as for the elements of an array.
package func concurrentMap<Mapped: Sendable>(_ count: Int, _ transform: @Sendable (Int) -> Mapped) -> [Mapped] {
    let slice = 16
    guard count > slice else { return (0..<count).map(transform) }
    return unsafe [Mapped](unsafeUninitializedCapacity: count) { results, initializedCount in
        // Each call writes only the elements of its own slice, and all calls have returned before the array is read.
        nonisolated(unsafe) let slots = unsafe results
        let cores = ProcessInfo.processInfo.activeProcessorCount
        concurrently((count + slice - 1) / slice, cores: cores) { number in
            for index in number * slice..<min((number + 1) * slice, count) {
                unsafe slots.initializeElement(at: index, to: transform(index))
            }
        }
        initializedCount = count
    }
}
