#include "switch/server_switch.hpp"

int main(int argc, char** argv) { return nfvcert::switching::server_switch_main(argc, argv); }
