// nfvcert-function: one of the six network functions between interfaces, in a container of its own.

#include "vnf/light/function_host.hpp"

int main(int argc, char** argv) { return nfvcert::vnf::run_function(argc, argv); }
