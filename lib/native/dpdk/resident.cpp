#include "dpdk/resident.hpp"

#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>

namespace nfvcert::dpdk {
namespace {

constexpr int populate_read = 22;  // MADV_POPULATE_READ, Linux 5.14 and later; before it, pages are locked as they are used

int read_in(dl_phdr_info* object, std::size_t, void*) {
    const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
    for (int i = 0; i < object->dlpi_phnum; ++i) {
        const auto& segment = object->dlpi_phdr[i];
        if (segment.p_type == PT_LOAD && (segment.p_flags & PF_W) == 0) {
            const auto first = (object->dlpi_addr + segment.p_vaddr) & ~(page - 1);
            const auto end = object->dlpi_addr + segment.p_vaddr + segment.p_memsz;
            ::madvise(reinterpret_cast<void*>(first), end - first, populate_read);  // NOLINT: an address is a number here
        }
    }
    return 0;
}

}  // namespace

void stay_in_memory() {
    if (::mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) == 0) {
        ::dl_iterate_phdr(&read_in, nullptr);
    }
}

}  // namespace nfvcert::dpdk
