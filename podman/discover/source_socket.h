// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <optional>
#include <string>

#include "podman/discover/source_podman.h"

namespace podshark::discover {

/// The same as ask_podman() through the socket at `path`, or nothing when nobody listens there. `answered` is
/// false, with the reason in the problems, when somebody listens but makes no sense within `deadline`.
[[nodiscard]] std::optional<PodmanAnswer> ask_socket(const std::string& path, const PodmanQuery& query,
                                                     const std::vector<model::Container>& seen,
                                                     api::Deadline deadline);

}  // namespace podshark::discover
