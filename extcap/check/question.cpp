// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/check/question.h"

#include <unistd.h>

#include <array>

#include "extcap/naming.h"
#include "extcap/probe/reach.h"
#include "extcap/probe/request.h"
#include "extcap/probe/source.h"
#include "podman/core/text.h"

namespace podshark::extcap::check {
namespace {

// What firewalls and listeners can be asked about.
constexpr std::array kProtocols{probe::Protocol::tcp, probe::Protocol::udp, probe::Protocol::icmp};

Error unknown(const std::string& what, const std::string& name) {
  return {ErrorKind::not_found, "there is no " + what + " " + in_quotes(name),
          "'podshark list --all' shows what there is"};
}

// "podman-root:web:80" has a prefix that is no part of HOST:PORT.
std::string take_prefix(std::string& text) {
  for (const char* prefix : {"podman-root:", "podman:"}) {
    if (!text.starts_with(prefix)) continue;
    text.erase(0, std::string(prefix).size());
    return prefix;
  }
  return {};
}

// The container called so, running or not; of a pod the one that has its namespace.
Result<std::string> find_container(const std::string& name, const model::Inventory& inventory) {
  const bool pod = name.starts_with("pod/");
  if (names_a_group(name) && !pod)
    return Error{ErrorKind::usage, in_quotes(name) + " may be several containers", "name one, or pod/NAME"};
  Result<Targets> found = resolve({name}, inventory, ::geteuid());
  if (!found && found.error().kind != ErrorKind::not_found) return found.error();
  if (found && !found->running.empty()) {
    const Target& target = found->running.front();
    return pod || target.chosen.id.empty() ? target.container.id : target.chosen.id;
  }
  if (found && !found->stopped.empty()) return found->stopped.front().id;
  return pod ? unknown("pod", name.substr(4)) : unknown("container", name);
}

// host:PORT is a port that somebody publishes; the question is about him, by the way that the port's users
// go.
Status ask_published(const model::Inventory& inventory, diagnose::Question& out) {
  if (!out.port) return Error{ErrorKind::usage, "target 'host' has no port", "say host:PORT"};
  for (const model::Container& c : inventory.containers) {
    if (!c.alive() || probing::mapping_of(c, *out.port, true, out.protocol.c_str()) == nullptr) continue;
    out.target = c.id;
    out.published = true;
    if (const Result<IpAddress> own = probing::host_address()) out.address = *own;
    return ok();
  }
  return Error{ErrorKind::not_found,
               "no running container publishes " + out.protocol + " port " + std::to_string(*out.port),
               "'podshark list' shows which ports are published"};
}

}  // namespace

Result<diagnose::Question> read_question(const std::string& from, const std::string& target,
                                         const model::Inventory& inventory) {
  diagnose::Question out;
  if (from.starts_with("ssh://"))
    return Error{
        ErrorKind::unsupported, "--from " + in_quotes(from) + ": that is another machine",
        "--host [USER@]HOST runs the check there; 'podshark probe --from ssh://HOST' measures from there"};
  if (from == "host") out.from = from;
  if (!from.empty() && from != "host") {
    Result<std::string> id = find_container(from, inventory);
    if (!id) return id.wrap("--from");
    out.from = *id;
  }
  if (target.empty()) return out;
  std::string rest = target;
  const std::string prefix = take_prefix(rest);
  const Result<probing::TargetText> text = probing::parse_target(rest, kProtocols);
  if (!text) return text.error();
  if (text->protocol) out.protocol = probe::to_string(*text->protocol);
  out.port = text->port;
  out.address = IpAddress::parse(text->host);
  if (out.address) return out;
  if (prefix.empty() && text->host == "host") {
    const Status found = ask_published(inventory, out);
    if (!found) return found.error();
    return out;
  }
  Result<std::string> id = find_container(prefix + text->host, inventory);
  if (!id) return id.error();
  out.target = *id;
  return out;
}

}  // namespace podshark::extcap::check
