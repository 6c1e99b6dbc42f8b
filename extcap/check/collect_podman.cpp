// SPDX-License-Identifier: GPL-2.0-or-later
#include <dirent.h>

#include <algorithm>
#include <chrono>
#include <memory>

#include "extcap/check/parts.h"
#include "podman/api/netavark.h"
#include "podman/core/proc.h"
#include "podman/core/process.h"
#include "podman/core/text.h"
#include "podman/discover/storage.h"

namespace podshark::extcap::check {
namespace {

using diagnose::Facts;
using diagnose::NameServer;

constexpr std::size_t kMaxFile = 1U << 20U;
constexpr std::size_t kMaxFiles = 10'000;

std::vector<std::string> files_of(const std::string& directory) {
  std::vector<std::string> out;
  const std::unique_ptr<DIR, int (*)(DIR*)> open(::opendir(directory.c_str()), ::closedir);
  while (open && out.size() < kMaxFiles) {
    const dirent* entry = ::readdir(open.get());
    if (entry == nullptr) break;
    if (entry->d_name[0] != '.') out.emplace_back(entry->d_name);
  }
  std::sort(out.begin(), out.end());
  return out;
}

// netavark's and aardvark-dns' run directory of the caller's podman.
std::string run_directory(const Facts& facts, const std::string& root) {
  if (facts.caller == 0) return root + "/run/containers/networks";
  return root + discover::calling_user().runtime_dir + "/containers/networks";
}

// First line: listen addresses, then perhaps the upstreams; each other: id, addresses, names.
NameServer::Network parse_aardvark(const std::string& name, std::string_view text) {
  NameServer::Network out;
  out.internal = name.ends_with("%int");
  out.name = out.internal ? name.substr(0, name.size() - 4) : name;
  const std::vector<std::string> lines = split(text, '\n');
  if (lines.empty()) return out;
  const std::vector<std::string> words = split(lines.front(), ' ');
  if (!words.empty()) out.addresses = split(words.front(), ',');
  return out;
}

}  // namespace

void read_netavark(Facts& facts, const std::string& root) {
  if (facts.caller != 0) return;
  const std::string directory = root + "/run/containers/networks/firewall";
  const Result<std::string> driver = read_file(directory + "/firewall-driver", 256);
  if (!driver) return;  // before netavark 1.9
  facts.intended.known = true;
  facts.intended.driver = std::string(trim(*driver));
  for (const std::string& name : files_of(directory + "/ports")) {
    const Result<std::string> text = read_file(directory + "/ports/" + name, kMaxFile);
    const auto parsed = text ? api::parse_netavark_ports(*text) : Result<api::NetavarkPorts>(text.error());
    if (!parsed) continue;
    for (const model::PortMapping& port : parsed->ports)
      facts.intended.ports.push_back(
          {parsed->container_id, parsed->network, parsed->address, parsed->subnet, port});
  }
}

void read_resolver(Facts& facts, const std::string& root) {
  const std::string directory = run_directory(facts, root) + "/aardvark-dns";
  for (const std::string& name : files_of(directory)) {
    const Result<std::string> text = read_file(directory + "/" + name, kMaxFile);
    if (!text) continue;
    if (name == "aardvark.pid") {
      std::uint64_t pid = 0;
      if (!parse_number(std::string(trim(*text)), 1U << 30U, pid)) continue;
      facts.resolver.pid = static_cast<pid_t>(pid);
      const Result<ProcStat> stat = read_stat(facts.resolver.pid, "/proc");
      facts.resolver.alive = stat && stat->comm == "aardvark-dns" && stat->state != 'Z';
      continue;
    }
    facts.resolver.networks.push_back(parse_aardvark(name, *text));
  }
  facts.resolver.configured = !facts.resolver.networks.empty();
}

}  // namespace podshark::extcap::check
