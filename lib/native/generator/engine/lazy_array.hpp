#pragma once
// An array as large as it may ever become whose memory the kernel gives when it is first touched, so that growing costs
// the polling thread a page fault now and then and never a move. Elements begin as zeros, whatever their constructor says,
// unless make() is called.

#include <sys/mman.h>

#include <cstddef>
#include <new>
#include <type_traits>

namespace nfvcert::engine {

template <class Element>
class LazyArray {
    static_assert(std::is_trivially_destructible_v<Element>);

public:
    explicit LazyArray(std::size_t elements, bool large_pages = false) : size_{elements} {
        auto* memory = ::mmap(nullptr, octets(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (memory == MAP_FAILED) {
            throw std::bad_alloc{};
        }
        if (large_pages) {
            ::madvise(memory, octets(), MADV_HUGEPAGE);  // less to look up when the kernel has them; fine without
        }
        elements_ = static_cast<Element*>(memory);
    }
    ~LazyArray() { ::munmap(elements_, octets()); }
    LazyArray(const LazyArray&) = delete;
    LazyArray& operator=(const LazyArray&) = delete;

    void make(std::size_t index) { new (elements_ + index) Element{}; }
    [[nodiscard]] std::size_t size() const { return size_; }
    Element& operator[](std::size_t index) { return elements_[index]; }
    const Element& operator[](std::size_t index) const { return elements_[index]; }

private:
    [[nodiscard]] std::size_t octets() const { return (size_ == 0 ? 1 : size_) * sizeof(Element); }

    std::size_t size_;
    Element* elements_;
};

}  // namespace nfvcert::engine
