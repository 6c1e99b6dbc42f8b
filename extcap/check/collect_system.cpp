// SPDX-License-Identifier: GPL-2.0-or-later
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>

#include "extcap/check/in_netns.h"
#include "extcap/check/parts.h"
#include "extcap/probe/names.h"
#include "podman/core/proc.h"
#include "podman/core/text.h"
#include "podman/kernel/conntrack.h"
#include "podman/kernel/tcp_states.h"

namespace podshark::extcap::check {
namespace {

using namespace std::chrono_literals;
using diagnose::Facts;

// Settings that rtnetlink does not tell.
constexpr std::array<const char*, 7> kSysctls{"net.ipv4.ip_forward",
                                              "net.ipv4.conf.all.route_localnet",
                                              "net.ipv4.ping_group_range",
                                              "net.ipv4.ip_unprivileged_port_start",
                                              "net.bridge.bridge-nf-call-iptables",
                                              "net.netfilter.nf_conntrack_count",
                                              "net.netfilter.nf_conntrack_max"};

std::string sysctl_path(const std::string& name) {
  std::string path = "/proc/sys/" + name;
  std::replace(path.begin() + 10, path.end(), '.', '/');
  return path;
}

// "name=value" lines.
std::string read_all_sysctls() {
  std::string out;
  for (const char* name : kSysctls) {
    const Result<std::string> value = read_file(sysctl_path(name), 4096);
    if (value) out += std::string(name) + "=" + std::string(trim(*value)) + "\n";
  }
  return out;
}

void add_counters(std::string_view text, std::map<std::string, std::uint64_t>& out) {
  const std::vector<std::string> lines = split(text, '\n');
  for (std::size_t i = 0; i + 1 < lines.size(); i += 2) {
    const std::vector<std::string> names = split(lines[i], ' '), values = split(lines[i + 1], ' ');
    for (std::size_t n = 1; n < names.size() && n < values.size(); ++n) {
      std::uint64_t value = 0;
      if (parse_number(values[n], ~std::uint64_t{0}, value)) out[names[n]] = value;
    }
  }
}

std::uint64_t number(const diagnose::Netns& net, const char* name) {
  const std::optional<std::int64_t> value = net.sysctl(name);
  return value && *value > 0 ? static_cast<std::uint64_t>(*value) : 0;
}

// Structs of our own, from our own child: as bytes.
template <typename T>
std::string bytes_of(const std::vector<T>& list) {
  static_assert(std::is_trivially_copyable_v<T>);
  return {reinterpret_cast<const char*>(list.data()), list.size() * sizeof(T)};
}

template <typename T>
std::vector<T> list_of(const std::string& bytes) {
  std::vector<T> out(bytes.size() / sizeof(T));
  if (!out.empty()) std::memcpy(out.data(), bytes.data(), out.size() * sizeof(T));
  return out;
}

}  // namespace

void read_sysctls(const NetnsPlace& place, diagnose::Netns& out) {
  const Result<std::string> text = in_netns(place, read_all_sysctls, 2s);
  if (!text) return;
  for (const std::string& line : split(*text, '\n')) {
    const std::size_t equals = line.find('=');
    if (equals != std::string::npos) out.sysctls[line.substr(0, equals)] = line.substr(equals + 1);
  }
}

void read_counters(pid_t pid, diagnose::Netns& out) {
  for (const char* file : {"snmp", "netstat"}) {
    const Result<std::string> text = read_file("/proc/" + std::to_string(pid) + "/net/" + file, 1U << 20U);
    if (text) add_counters(*text, out.counters);
  }
}

// The kernel's own count of packets that fit no connection: column "invalid", hexadecimal, a line per
// processor.
void read_invalid(Facts& facts) {
  const Result<std::string> text = read_file("/proc/net/stat/nf_conntrack", 1U << 20U);
  if (!text) return;
  const std::vector<std::string> lines = split(*text, '\n');
  std::size_t column = 0;
  const std::vector<std::string> names = lines.empty() ? std::vector<std::string>() : words(lines.front());
  while (column < names.size() && names[column] != "invalid") ++column;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const std::vector<std::string> values = words(lines[i]);
    if (column < values.size())
      facts.host.counters["ct_invalid"] += std::strtoull(values[column].c_str(), nullptr, 16);
  }
}

void read_connections(Facts& facts) {
  read_invalid(facts);
  Result<std::vector<model::Conntrack>> entries = kernel::conntrack_entries();
  if (entries) {
    facts.host.conntrack = std::move(entries).value();
  } else {
    facts.unseen.push_back(
        {"connection tracking of the host", entries.error().what, "run podshark with sudo"});
  }
  facts.conntrack_count = number(facts.host, "net.netfilter.nf_conntrack_count");
  facts.conntrack_max = number(facts.host, "net.netfilter.nf_conntrack_max");
}

void read_tcp(const NetnsPlace& place, diagnose::Netns& out) {
  const auto job = [] {
    const Result<std::vector<model::TcpState>> states = kernel::tcp_states();
    return states ? bytes_of(*states) : std::string();
  };
  const Result<std::string> bytes = in_netns(place, job, 2s);
  if (bytes) out.tcp = list_of<model::TcpState>(*bytes);
}

ResolverTrials ask_name_servers(const CollectOptions& options) {
  const Result<std::string> text = read_file(options.root + "/etc/resolv.conf", 1U << 20U);
  if (!text || !options.try_resolvers) return {};
  probing::NameService names;
  probing::parse_resolv_conf(*text, names);
  return {names.servers, 1s};
}

void read_security_log(Facts& facts, const std::string& root) {
  constexpr std::size_t kMaxLog = 64U << 20U, kTail = 2U << 20U, kMaxLines = 5, kMaxLine = 300;
  const Result<std::string> log = read_file(root + "/var/log/audit/audit.log", kMaxLog);
  if (!log) return;  // no auditd, or not ours to read
  const std::size_t from = log->size() > kTail ? log->size() - kTail : 0;
  for (const std::string& line : split(std::string_view(*log).substr(from), '\n')) {
    const bool denied = line.find("denied") != std::string::npos || line.find("DENIED") != std::string::npos;
    const bool ours = line.find("pasta") != std::string::npos || line.find("passt") != std::string::npos ||
                      line.find("netavark") != std::string::npos ||
                      line.find("aardvark") != std::string::npos;
    if (!denied || !ours) continue;
    if (facts.security_log.size() == kMaxLines) facts.security_log.erase(facts.security_log.begin());
    facts.security_log.push_back(one_line(line, kMaxLine));
  }
}

}  // namespace podshark::extcap::check
