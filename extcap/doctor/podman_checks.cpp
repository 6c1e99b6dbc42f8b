// SPDX-License-Identifier: GPL-2.0-or-later
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "extcap/doctor/checks.h"

namespace podshark::extcap::doctor {
namespace {

bool older(const std::string& version, int major, int minor) {
  int is_major = 0;
  int is_minor = 0;
  if (std::sscanf(version.c_str(), "%d.%d", &is_major, &is_minor) != 2) return false;
  return std::pair(is_major, is_minor) < std::pair(major, minor);
}

}  // namespace

Findings check_podman(const Scene& scene) {
  const Podman& podman = scene.podman;
  if (!podman.version.empty() && older(podman.version, 4, 3)) {
    return {warn("podman",
                 "version " + podman.version + " is older than 4.3, the first that Podshark is tested with",
                 "use podman 4.3 or later")};
  }
  if (!podman.version.empty()) return {good("podman", "version " + podman.version)};
  const std::string why = podman.problem.empty() ? "it printed no version" : podman.problem;
  return {fail("podman", "podman does not answer: " + why, "sudo apt-get install podman")};
}

// Optional: through a socket a list takes a few milliseconds instead of a hundred.
Findings check_sockets(const Scene& scene) {
  Findings found;
  for (const Socket& socket : scene.podman.sockets) {
    if (socket.error == 0) {
      found.push_back(good("socket", socket.path + " answers: lists are read from there"));
    } else {
      const std::string why =
          socket.error == ENOENT ? "is not there" : std::string("no: ") + std::strerror(socket.error);
      found.push_back(good("socket", socket.path + " " + why + "; the podman command is used instead"));
    }
  }
  return found;
}

Findings check_storage(const Scene& scene) {
  const Podman& podman = scene.podman;
  if (podman.has_storage) return {good("storage", "your containers live in " + podman.storage)};
  return {good("storage", "no containers of yours in " + podman.storage + " yet; Podshark creates none")};
}

}  // namespace podshark::extcap::doctor
