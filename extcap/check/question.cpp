// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/check/question.h"

#include <unistd.h>

#include <algorithm>
#include <array>

#include "podman/core/text.h"

namespace podshark::extcap::check {
namespace {

constexpr std::size_t kShortestId = 3;
const char* const kHelp = "see 'podshark check --help'";

Error usage(const std::string& what) {
  return {ErrorKind::usage, what, kHelp};
}

std::string without_prefix(const std::string& name) {
  for (const char* prefix : {"podman-root:", "podman:"}) {
    if (name.starts_with(prefix)) return name.substr(std::string(prefix).size());
  }
  return name;
}

Result<std::string> find_pod(const std::string& name, const model::Inventory& inventory) {
  for (const model::Pod& pod : inventory.pods) {
    if (pod.name == name && !pod.infra_id.empty()) return pod.infra_id;
    if (pod.name == name && !pod.members.empty()) return pod.members.front();
  }
  return Error{ErrorKind::not_found, "there is no pod " + in_quotes(name) + " with a container",
               "'podshark list --all' shows what there is"};
}

bool is_id(const std::string& text) {
  return text.size() >= kShortestId && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

Result<std::string> find_container(const std::string& given, const model::Inventory& inventory) {
  const std::string name = without_prefix(given);
  if (name.starts_with("pod/")) return find_pod(name.substr(4), inventory);
  // Of two with one name the caller's own is meant, unless the other is asked for as the interface list calls
  // it.
  const uid_t owner = given.starts_with("podman-root:") ? 0 : ::geteuid();
  std::vector<std::string> found;
  for (const bool own : {true, false}) {
    for (const model::Container& c : inventory.containers) {
      if (c.name == name && (c.owner == owner) == own) found.push_back(c.id);
    }
    if (!found.empty()) return found.front();
  }
  for (const model::Container& c : inventory.containers) {
    if (found.empty() && is_id(name) && c.id == name) found.push_back(c.id);
  }
  if (found.empty() && is_id(name)) {
    for (const model::Container& c : inventory.containers) {
      if (c.id.starts_with(name)) found.push_back(c.id);
    }
  }
  if (found.empty())
    return Error{ErrorKind::not_found, "there is no container " + in_quotes(given),
                 "'podshark list --all' shows what there is"};
  if (found.size() > 1)
    return Error{ErrorKind::usage, in_quotes(given) + " fits " + std::to_string(found.size()) + " containers",
                 "give more digits of the id"};
  return found.front();
}

// Takes "/tcp" off the end, if it is a protocol: pod names have slashes too.
Status take_protocol(std::string& target, diagnose::Question& out) {
  const std::size_t slash = target.rfind('/');
  if (slash == std::string::npos || target.substr(0, slash) == "pod") return ok();
  const std::string word = target.substr(slash + 1);
  constexpr std::array<const char*, 3> kProtocols{"tcp", "udp", "icmp"};
  if (std::find(kProtocols.begin(), kProtocols.end(), word) == kProtocols.end())
    return usage("unknown protocol " + in_quotes(word) + ": tcp, udp or icmp");
  out.protocol = word;
  target.resize(slash);
  return ok();
}

Status take_port(std::string& target, diagnose::Question& out) {
  const bool bracketed = target.starts_with('[');
  const std::size_t colon = target.rfind(':');
  if (!bracketed && IpAddress::parse(target) && target.find('/') == std::string::npos)
    return ok();  // IPv6 has colons
  if (bracketed && (colon == std::string::npos || target[colon - 1] != ']')) {
    target = target.substr(1, target.size() - (target.ends_with(']') ? 2 : 1));
    return ok();
  }
  if (colon == std::string::npos || without_prefix(target) != target) {
    const std::string rest = without_prefix(target);
    if (rest == target) return ok();
    target = rest;
    return take_port(target, out);
  }
  std::uint64_t port = 0;
  const std::string digits = target.substr(colon + 1);
  if (!parse_number(digits, 65535, port) || port == 0)
    return usage("port " + in_quotes(digits) + " is not a number from 1 to 65535");
  out.port = static_cast<std::uint16_t>(port);
  target.resize(colon);
  if (bracketed) target = target.substr(1, target.size() - 2);
  return ok();
}

}  // namespace

Result<diagnose::Question> read_question(const std::string& from, const std::string& target,
                                         const model::Inventory& inventory) {
  diagnose::Question out;
  if (from.starts_with("ssh://"))
    return Error{
        ErrorKind::unsupported, "--from " + in_quotes(from) + ": other machines can not be asked yet", {}};
  if (from == "host") out.from = from;
  if (!from.empty() && from != "host") {
    Result<std::string> id = find_container(from, inventory);
    if (!id) return id.wrap("--from");
    out.from = *id;
  }
  if (target.empty()) return out;
  std::string name = target;
  if (Status s = take_protocol(name, out); !s) return s.error();
  if (Status s = take_port(name, out); !s) return s.error();
  if (name.empty()) return usage("a target is missing before the port in " + in_quotes(target));
  out.address = IpAddress::parse(name);
  if (out.address) return out;
  Result<std::string> id = find_container(name, inventory);
  if (!id) return id.error();
  out.target = *id;
  return out;
}

}  // namespace podshark::extcap::check
