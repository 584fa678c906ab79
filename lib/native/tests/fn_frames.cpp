#include "fn_frames.hpp"

#include <nlohmann/json.hpp>

namespace nf_test {

Driver::Driver(const char* name, const std::string& parameters)
    : function{nf::make_function(name, nlohmann::json::parse(parameters))} {}

}  // namespace nf_test
