// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/filter.h"

#include <dlfcn.h>
#include <pcap/pcap.h>

#include "podman/core/text.h"

namespace podshark::extcap {
namespace {

constexpr int kNoNetmask = -1;  // PCAP_NETMASK_UNKNOWN: "ip broadcast" is refused rather than guessed

// Types come from pcap.h, so that a changed signature still fails to compile.
struct Libpcap {
  decltype(&::pcap_open_dead) open_dead = nullptr;
  decltype(&::pcap_compile) compile = nullptr;
  decltype(&::pcap_geterr) geterr = nullptr;
  decltype(&::pcap_freecode) freecode = nullptr;
  decltype(&::pcap_close) close = nullptr;
  decltype(&::pcap_offline_filter) offline_filter = nullptr;
  std::string error;
};

const Libpcap& libpcap() {
  static const Libpcap loaded = [] {
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
    return lib;
  }();
  return loaded;
}

bool speaks_of_vlans(const std::string& text) {
  return text.find("vlan") != std::string::npos;
}

// pcap_open_dead takes DLT_ values, which differ from LINKTYPE_ for raw IP only (12 against 101).
int dlt_of(std::uint16_t linktype) {
  return linktype == 101 ? DLT_RAW : linktype;
}

std::vector<sock_filter> to_kernel(const bpf_program& program) {
  std::vector<sock_filter> out;
  for (unsigned i = 0; i < program.bf_len; ++i) {
    const bpf_insn& insn = program.bf_insns[i];
    out.push_back({insn.code, insn.jt, insn.jf, insn.k});
  }
  return out;
}

}  // namespace

Result<Filter> Filter::compile(const std::string& text, std::uint16_t linktype, std::uint32_t snaplen) {
  Filter filter;
  if (trim(text).empty()) {
    filter.kernel_ = {{BPF_RET | BPF_K, 0, 0, snaplen}};
    return filter;
  }
  const Libpcap& lib = libpcap();
  if (!lib.error.empty()) {
    return Error{ErrorKind::bad_filter, "capture filters need libpcap: " + lib.error, "install libpcap0.8"};
  }
  const std::unique_ptr<pcap_t, decltype(lib.close)> dead(
      lib.open_dead(dlt_of(linktype), static_cast<int>(snaplen)), lib.close);
  if (!dead) return Error{ErrorKind::internal, "libpcap: out of memory", {}};
  std::shared_ptr<bpf_program> program(new bpf_program{}, [&lib](bpf_program* p) {
    lib.freecode(p);
    delete p;
  });
  if (lib.compile(dead.get(), program.get(), text.c_str(), /* optimize= */ 1,
                  static_cast<bpf_u_int32>(kNoNetmask)) != 0) {
    return Error{ErrorKind::bad_filter,
                 "capture filter '" + one_line(text, 120) + "': " + lib.geterr(dead.get()),
                 "the syntax is in pcap-filter(7)"};
  }
  if (speaks_of_vlans(text)) {
    filter.program_ = std::move(program);
    filter.kernel_ = {{BPF_RET | BPF_K, 0, 0, snaplen}};
  } else {
    filter.kernel_ = to_kernel(*program);
  }
  return filter;
}

bool Filter::matches(const std::uint8_t* data, std::uint32_t captured, std::uint32_t length) const {
  if (!program_) return true;
  pcap_pkthdr header{};
  header.caplen = captured;
  header.len = length;
  return libpcap().offline_filter(program_.get(), &header, data) != 0;
}

}  // namespace podshark::extcap
