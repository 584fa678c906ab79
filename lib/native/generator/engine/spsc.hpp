#pragma once
// Queue between two threads, one of which only puts and the other only takes; neither ever waits.

#include <array>
#include <atomic>
#include <cstddef>
#include <optional>

namespace nfvcert::engine {

template <class Element, std::size_t capacity>
class Spsc {
    static_assert((capacity & (capacity - 1)) == 0);

public:
    bool put(const Element& element) {
        const auto tail = tail_.load(std::memory_order_relaxed);
        if (tail - head_.load(std::memory_order_acquire) == capacity) {
            return false;
        }
        elements_[tail % capacity] = element;
        tail_.store(tail + 1, std::memory_order_release);
        return true;
    }
    std::optional<Element> take() {
        const auto head = head_.load(std::memory_order_relaxed);
        if (head == tail_.load(std::memory_order_acquire)) {
            return std::nullopt;
        }
        auto element = elements_[head % capacity];
        head_.store(head + 1, std::memory_order_release);
        return element;
    }

private:
    alignas(64) std::atomic<std::size_t> head_{0};
    alignas(64) std::atomic<std::size_t> tail_{0};
    std::array<Element, capacity> elements_{};
};

}  // namespace nfvcert::engine
