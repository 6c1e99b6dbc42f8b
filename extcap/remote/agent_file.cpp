// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/remote/agent_file.h"

#include <algorithm>

#include "extcap/worker_client.h"
#include "podman/core/proc.h"
#include "podman/core/text.h"

namespace podshark::extcap::remote {
namespace {

constexpr std::size_t kMostBytes = std::size_t{4} << 20U;
constexpr std::size_t kLongestMachine = 16;

// What another machine says of itself becomes a part of a path.
bool is_machine(const std::string& text) {
  return !text.empty() && text.size() <= kLongestMachine && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

}  // namespace

std::string agents_directory() {
  return find_libexec("agents");
}

std::string agent_path(const std::string& machine, const std::string& directory) {
  return directory + "/podshark-agent-" + machine + ".gz";
}

Result<std::string> agent_file(const std::string& machine, const std::string& directory) {
  const Error none{
      ErrorKind::not_found, "there is no podshark-agent for machines of type " + in_quotes(machine),
      "install podshark there, or build the agent for it (extcap/agent/README.md in the sources)"};
  if (!is_machine(machine) || directory.empty()) return none;
  Result<std::string> bytes = read_file(agent_path(machine, directory), kMostBytes);
  if (!bytes) return none;
  return bytes;
}

}  // namespace podshark::extcap::remote
