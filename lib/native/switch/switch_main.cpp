#include "switch/hardware_switch_policy.hpp"

int main(int argc, char** argv) { return nfvcert::switching::hardware_switch_main(argc, argv); }
