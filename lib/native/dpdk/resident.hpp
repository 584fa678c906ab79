#pragma once
// Nothing that polls or answers orders waits for a disk.

namespace nfvcert::dpdk {

/// Reads in what is mapped from the program and its libraries, and locks all that is used or will be: machines may take pages
/// that were not used for seconds out of their memory. Without the privilege the process goes on as it is.
void stay_in_memory();

}  // namespace nfvcert::dpdk
