// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/libpcap.h"

#include <dlfcn.h>

namespace podshark::extcap {
namespace {

Libpcap load() {
  Libpcap lib;
  void* handle = ::dlopen("libpcap.so.0.8", RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) handle = ::dlopen("libpcap.so.1", RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    lib.error = ::dlerror();
    return lib;
  }
  const auto find = [&](auto& function, const char* name) {
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(::dlsym(handle, name));
    if (function == nullptr) lib.error = std::string("libpcap has no ") + name;
  };
  find(lib.open_dead, "pcap_open_dead");
  find(lib.compile, "pcap_compile");
  find(lib.geterr, "pcap_geterr");
  find(lib.freecode, "pcap_freecode");
  find(lib.close, "pcap_close");
  find(lib.offline_filter, "pcap_offline_filter");
  find(lib.fopen_offline, "pcap_fopen_offline_with_tstamp_precision");
  find(lib.next_ex, "pcap_next_ex");
  return lib;
}

}  // namespace

const Libpcap& libpcap() {
  static const Libpcap loaded = load();
  return loaded;
}

}  // namespace podshark::extcap
