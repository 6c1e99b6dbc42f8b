// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/filter.h"

#include "extcap/capture/libpcap.h"
#include "podman/core/ip_address.h"
#include "podman/core/text.h"

namespace podshark::extcap {
namespace {

constexpr int kNoNetmask = -1;  // PCAP_NETMASK_UNKNOWN: "ip broadcast" is refused rather than guessed

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

Result<Filter> Filter::compile(const std::string& text, std::uint16_t linktype, std::uint32_t snaplen,
                               bool in_user_space) {
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
  if (in_user_space || speaks_of_vlans(text)) {
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

std::string both_filters(const std::string& limit, const std::string& filter) {
  if (trim(filter).empty() || limit.empty()) return limit + filter;
  // Ours first: `vlan` in the user's part shifts what follows it.
  return "(" + limit + ") and (" + filter + ")";
}

std::string without_carrier(const std::string& ssh_connection, bool any_port) {
  std::vector<std::string> words = split(ssh_connection, ' ');
  if (words.size() == 5 && words.back() == kAnyPort) {
    any_port = true;
    words.pop_back();
  }
  if (words.size() != 4) return {};
  std::uint64_t ports[2] = {};
  for (const std::size_t i : {0U, 2U}) {
    if (!IpAddress::parse(words[i]) || !parse_number(words[i + 1], 65535, ports[i / 2])) return {};
  }
  const auto host = [&](std::size_t i) { return "host " + IpAddress::parse(words[i])->text(); };
  const auto port = [&](std::size_t i) { return " and tcp port " + std::to_string(ports[i / 2]); };
  return "not (" + host(0) + (any_port ? "" : port(0)) + " and " + host(2) + port(2) + ")";
}

}  // namespace podshark::extcap
