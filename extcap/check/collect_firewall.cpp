// SPDX-License-Identifier: GPL-2.0-or-later
// nft and iptables-save by argv; what they print is untrusted text and parsed by podman/firewall.
#include <algorithm>
#include <chrono>

#include "extcap/check/in_netns.h"
#include "extcap/check/parts.h"
#include "podman/core/proc.h"
#include "podman/core/process.h"
#include "podman/core/text.h"
#include "podman/firewall/merge.h"
#include "podman/firewall/parse_iptables.h"
#include "podman/firewall/parse_nft.h"

namespace podshark::extcap::check {
namespace {

using namespace std::chrono_literals;
constexpr auto kToolDeadline = 3s;
constexpr auto kDeadline = 8s;

// Output of a tool, with its exit code in front as one character: '0' good, '1' failed, '-' there is none.
std::string listing(const std::vector<std::string>& argv) {
  if (find_program(argv.front()).empty()) return "-";
  const Result<Output> done = podshark::run(argv, kToolDeadline, firewall::kMaxRulesBytes, {"LC_ALL=C"});
  if (!done || done->exit_code != 0) return "1";
  return "0" + done->out;
}

// Legacy tables are asked for only where they exist already: the tool would load their modules.
bool legacy_tables(const char* family) {
  const Result<std::string> names =
      read_file("/proc/self/net/" + std::string(family) + "_tables_names", 4096);
  return names && !trim(*names).empty();
}

std::string all_listings() {
  std::string out;
  const auto add = [&](const std::string& text) { out += std::to_string(text.size()) + "\n" + text; };
  add(listing({"nft", "-j", "-a", "list", "ruleset"}));
  add(listing({"iptables-nft-save", "-c"}));
  add(listing({"ip6tables-nft-save", "-c"}));
  add(legacy_tables("ip") ? listing({"iptables-legacy-save", "-c"}) : "-");
  add(legacy_tables("ip6") ? listing({"ip6tables-legacy-save", "-c"}) : "-");
  return out;
}

std::vector<std::string> take_listings(const std::string& text) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    std::uint64_t size = 0;
    if (end == std::string::npos || !parse_number(text.substr(at, end - at), kMaxAnswer, size)) break;
    out.push_back(text.substr(end + 1, size));
    at = end + 1 + size;
  }
  out.resize(5, "-");
  return out;
}

std::string_view good(const std::string& listing) {
  return listing.starts_with('0') ? std::string_view(listing).substr(1) : std::string_view();
}

// Debian's firewalld is a Python program: its comm is that of the interpreter.
bool is_firewalld(pid_t pid) {
  const Result<ProcStat> stat = read_stat(pid, "/proc");
  if (!stat || stat->state == 'Z') return false;
  if (stat->comm == "firewalld") return true;
  if (!stat->comm.starts_with("python")) return false;
  const std::vector<std::string> argv = read_cmdline(pid, "/proc");
  return std::any_of(argv.begin(), argv.end(),
                     [](const std::string& a) { return a.ends_with("/firewalld"); });
}

}  // namespace

Result<firewall::Ruleset> read_firewall(const NetnsPlace& place) {
  using firewall::Family;
  using firewall::Maker;
  const Result<std::string> text = in_netns(place, all_listings, kDeadline);
  if (!text) return text.error();
  const std::vector<std::string> parts = take_listings(*text);
  if (parts[0] == "-" && parts[1] == "-")
    return Error{ErrorKind::unsupported, "neither nft nor iptables is installed",
                 "sudo apt-get install nftables iptables"};
  if (!parts[0].starts_with('0') && !parts[1].starts_with('0'))
    return Error{ErrorKind::permission, "nft and iptables-save may not list them",
                 "run podshark with sudo to have them checked"};
  Result<firewall::Ruleset> nft = parts[0].starts_with('0') ? firewall::parse_nft_json(good(parts[0]))
                                                            : Result<firewall::Ruleset>(firewall::Ruleset{});
  if (!nft) return nft.error();
  std::vector<firewall::Ruleset> saved;
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const Family family = i % 2 == 1 ? Family::ip : Family::ip6;
    Result<firewall::Ruleset> rules = firewall::parse_iptables_save(
        good(parts[i]), family, i < 3 ? Maker::iptables : Maker::iptables_legacy);
    if (!rules) return rules.error();
    saved.push_back(std::move(rules).value());
  }
  return firewall::merge(std::move(nft).value(), std::move(saved[0]), std::move(saved[1]),
                         std::move(saved[2]), std::move(saved[3]));
}

void read_firewalld(diagnose::Facts& facts, const std::string& root) {
  const std::vector<pid_t> pids = list_pids("/proc");
  facts.firewalld.running = std::any_of(pids.begin(), pids.end(), is_firewalld);
  if (!facts.firewalld.running) return;
  if (const Result<std::string> conf = read_file(root + "/etc/firewalld/firewalld.conf", 1U << 20U)) {
    for (const std::string& line : split(*conf, '\n'))
      facts.firewalld.strict_forward_ports =
          facts.firewalld.strict_forward_ports || trim(line) == "StrictForwardPorts=yes";
  }
  const Result<Output> sources = podshark::run({"firewall-cmd", "--zone=trusted", "--list-sources"},
                                               kToolDeadline, 1U << 20U, {"LC_ALL=C"});
  if (!sources || sources->exit_code != 0) {
    facts.unseen.push_back({"firewalld's zones", "firewall-cmd did not answer", "run podshark with sudo"});
    return;
  }
  facts.firewalld.trusted_sources = split(std::string(trim(sources->out)), ' ');
}

}  // namespace podshark::extcap::check
