// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/api/podman_cli.h"

#include "podman/api/limits.h"
#include "podman/core/process.h"
#include "podman/core/text.h"

namespace podshark::api {
namespace {

constexpr const char* kHint = "does `podman ps` work in a terminal?";

// `partial`: podman prints what it found and ends with 125 when something has vanished meanwhile.
Result<std::string> podman(const std::vector<std::string>& words, Deadline deadline, std::size_t max_bytes,
                           bool partial) {
  std::vector<std::string> argv{"podman", "--remote=false"};
  argv.insert(argv.end(), words.begin(), words.end());
  const std::string what = "podman " + words.front();
  if (find_program("podman").empty()) {
    return Error{ErrorKind::no_podman, "podman is not installed or not in PATH", "install podman"};
  }
  const Result<Output> output =
      run(argv, time_left(deadline), max_bytes,
          {"CONTAINER_HOST", "CONTAINER_CONNECTION", "CONTAINER_SSHKEY"}, Stderr::kept);
  if (!output) return Error{ErrorKind::no_podman, output.wrap(what).what, kHint};
  if (output->exit_code == 0) return output->out;
  if (partial && output->exit_code < 128 && !trim(output->out).empty()) return output->out;
  const std::string how = output->exit_code > 128
                              ? "was killed by signal " + std::to_string(output->exit_code - 128)
                              : "failed with exit code " + std::to_string(output->exit_code);
  const std::string said = last_line(output->errors, 200);
  return Error{ErrorKind::no_podman, what + " " + how + (said.empty() ? "" : ": " + said), kHint};
}

}  // namespace

Result<std::string> PodmanCli::ps(Deadline deadline) {
  return podman({"ps", "-a", "--pod", "--ns", "--format", "json"}, deadline, kMaxListBytes, false);
}

Result<std::string> PodmanCli::inspect(const std::vector<std::string>& ids, Deadline deadline) {
  std::vector<std::string> words{"inspect", "--type", "container"};
  words.insert(words.end(), ids.begin(), ids.end());
  return podman(words, deadline, kMaxInspectBytes, true);
}

Result<std::string> PodmanCli::networks(const std::vector<std::string>& names, Deadline deadline) {
  std::vector<std::string> words{"network", "inspect"};
  for (const std::string& name : names) {
    if (is_podman_name(name)) words.push_back(name);
  }
  if (words.size() == 2) return std::string("[]");
  return podman(words, deadline, kMaxListBytes, true);
}

Result<std::string> PodmanCli::pods(Deadline deadline) {
  return podman({"pod", "ps", "--format", "json"}, deadline, kMaxListBytes, false);
}

Result<std::string> podman_connections(Deadline deadline) {
  return podman({"system", "connection", "list", "--format", "json"}, deadline, kMaxListBytes, false);
}

}  // namespace podshark::api
