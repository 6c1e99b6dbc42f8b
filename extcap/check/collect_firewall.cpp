// SPDX-License-Identifier: GPL-2.0-or-later
// nft and iptables-save by argv; what they print is untrusted text and parsed by podman/firewall.
#include <algorithm>
#include <array>
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

constexpr std::size_t kMaxWhy = 200;
// In the order of all_listings().
constexpr std::array<const char*, 5> kTools{"nft", "iptables-nft-save", "ip6tables-nft-save",
                                            "iptables-legacy-save", "ip6tables-legacy-save"};

// Output of a tool, with its exit code in front as one character: '0' good, '1' failed (and why), '-' there
// is none.
std::string listing(const std::vector<std::string>& argv) {
  if (find_program(argv.front()).empty()) return "-";
  const Result<Output> done =
      podshark::run(argv, kToolDeadline, firewall::kMaxRulesBytes, {"LC_ALL=C"}, Stderr::kept);
  if (!done) return "1" + done.error().what;
  if (done->exit_code != 0) return "1" + last_line(done->errors, kMaxWhy);
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
  add(listing({kTools[0], "-j", "-a", "list", "ruleset"}));
  add(listing({kTools[1], "-c"}));
  add(listing({kTools[2], "-c"}));
  add(legacy_tables("ip") ? listing({kTools[3], "-c"}) : "-");
  add(legacy_tables("ip6") ? listing({kTools[4], "-c"}) : "-");
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
  out.resize(kTools.size(), "-");
  return out;
}

std::string_view good(const std::string& listing) {
  return listing.starts_with('0') ? std::string_view(listing).substr(1) : std::string_view();
}

bool failed(const std::string& listing) {
  return listing.starts_with('1');
}

std::string why_failed(std::size_t part, const std::string& listing) {
  return std::string(kTools[part]) + " failed" +
         (listing.size() > 1 ? ": " + one_line(listing.substr(1), kMaxWhy) : std::string());
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

Result<firewall::Ruleset> rules_of(const std::vector<std::string>& parts) {
  using firewall::Family;
  using firewall::Maker;
  const bool nft_known = parts[0].starts_with('0'), iptables_known = parts[1].starts_with('0');
  if (parts[0] == "-" && parts[1] == "-")
    return Error{ErrorKind::unsupported, "neither nft nor iptables is installed",
                 "sudo apt-get install nftables iptables"};
  if (!nft_known && !iptables_known)
    return Error{ErrorKind::permission, "nft and iptables-save may not list them",
                 "run podshark with sudo to have them checked"};
  // iptables tells its own tables alone: without the others, podman's rules would seem to be gone.
  if (failed(parts[0]))
    return Error{ErrorKind::internal, why_failed(0, parts[0]),
                 "does 'nft -j list ruleset' work in a terminal?"};
  Result<firewall::Ruleset> nft =
      nft_known ? firewall::parse_nft_json(good(parts[0])) : Result<firewall::Ruleset>(firewall::Ruleset{});
  if (!nft) return nft.error();
  if (!nft_known) nft->note("nft is not installed: what is in tables of its own is not known");
  std::vector<firewall::Ruleset> saved;
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const Family family = i % 2 == 1 ? Family::ip : Family::ip6;
    Result<firewall::Ruleset> rules = firewall::parse_iptables_save(
        good(parts[i]), family, i < 3 ? Maker::iptables : Maker::iptables_legacy);
    if (!rules) return rules.error();
    // Tables that iptables can not read are in nft's own listing.
    if (nft_known)
      std::erase_if(rules->notes,
                    [](const std::string& n) { return n.find("incompatible") != std::string::npos; });
    if (failed(parts[i])) rules->note(why_failed(i, parts[i]));
    saved.push_back(std::move(rules).value());
  }
  return firewall::merge(std::move(nft).value(), std::move(saved[0]), std::move(saved[1]),
                         std::move(saved[2]), std::move(saved[3]));
}

std::vector<diagnose::Unseen> left_out(const firewall::Ruleset& rules, const std::string& of) {
  constexpr std::size_t kMaxTold = 4;
  std::vector<diagnose::Unseen> out;
  for (const std::string& note : rules.notes) {
    if (out.size() == kMaxTold) {
      out.back().why += "; and " + std::to_string(rules.notes.size() - kMaxTold) + " more such notes";
      break;
    }
    out.push_back({"some firewall rules of " + of, note, "what they do is not judged"});
  }
  return out;
}

Result<firewall::Ruleset> read_firewall(const NetnsPlace& place) {
  const Result<std::string> text = in_netns(place, all_listings, kDeadline);
  if (!text) return text.error();
  return rules_of(take_listings(*text));
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
