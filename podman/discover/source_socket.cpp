// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/discover/source_socket.h"

#include "podman/api/rest_socket.h"

namespace podshark::discover {

std::optional<PodmanAnswer> ask_socket(const std::string& path, const PodmanQuery& query,
                                       const std::vector<model::Container>& seen, api::Deadline deadline) {
  api::RestSocket socket(path);
  if (!socket.answers()) return std::nullopt;
  return ask_podman(socket, query, seen, deadline);
}

}  // namespace podshark::discover
