#include "switch/server_switch_policy.hpp"

int main(int argc, char** argv) { return nfvcert::switching::server_switch_main(argc, argv); }
