#include "switch/hardware_switch.hpp"

int main(int argc, char** argv) { return nfvcert::switching::hardware_switch_main(argc, argv); }
