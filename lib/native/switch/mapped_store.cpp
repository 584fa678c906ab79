#include "switch/mapped_store.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "runtime/unique_fd.hpp"

namespace nfvcert::switching {
namespace {

[[noreturn]] void fail(const std::string& what) { throw std::system_error(errno, std::generic_category(), what); }

}  // namespace

MappedStore::MappedStore(const std::string& path, std::size_t flows, bool fresh) : octets_{FlowStore::octets(flows)} {
    runtime::UniqueFd fd;
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE;
    if (!path.empty()) {
        fd = runtime::UniqueFd{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | (fresh ? O_TRUNC : 0), 0600)};
        if (!fd.valid() || ::ftruncate(fd.get(), static_cast<off_t>(octets_)) != 0) {
            fail("the flows cannot be kept in " + path);
        }
        flags = MAP_SHARED | MAP_POPULATE;  // no page is fetched while packets wait
    }
    void* memory = ::mmap(nullptr, octets_, PROT_READ | PROT_WRITE, flags, fd.get(), 0);
    if (memory == MAP_FAILED) {
        fail("no memory for " + std::to_string(flows) + " flows");
    }
    store_ = static_cast<FlowStore*>(memory);
}

MappedStore::~MappedStore() { ::munmap(store_, octets_); }

}  // namespace nfvcert::switching
