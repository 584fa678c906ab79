// Runs a fuzz target over files and folders of inputs, without a fuzzer; for the committed ones in the normal tests.

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

int main(int argc, char** argv) {
    namespace fs = std::filesystem;
    std::size_t count = 0;
    const auto run = [&](const fs::path& path) {
        std::ifstream file{path, std::ios::binary};
        const std::vector<char> octets{std::istreambuf_iterator<char>{file}, std::istreambuf_iterator<char>{}};
        LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(octets.data()), octets.size());
        ++count;
    };
    for (int i = 1; i < argc; ++i) {
        if (fs::is_directory(argv[i])) {
            for (const auto& entry : fs::directory_iterator{argv[i]}) {
                run(entry.path());
            }
        } else {
            run(argv[i]);
        }
    }
    std::printf("%zu inputs\n", count);
    return count > 0 ? 0 : 1;
}
