// SPDX-License-Identifier: GPL-2.0-or-later
// What we accept from podman, in one place. Beyond a byte limit the whole answer is refused with one line;
// beyond a count limit the rest is left out and said so in a note.
#pragma once

#include <cstddef>

namespace podshark::api {

inline constexpr std::size_t kMaxListBytes = 8U << 20U;  ///< ps, pod ps, network inspect (about 1 KiB each)
inline constexpr std::size_t kMaxInspectBytes = 32U << 20U;  ///< inspect of all containers (about 9 KiB each)
inline constexpr std::size_t kMaxKubeBytes = 64U << 20U;     ///< kubectl get pods (about 10 KiB each)
inline constexpr std::size_t kMaxKubeContainers = 256;       ///< of one pod, of all kinds together
inline constexpr std::size_t kMaxHttpHeader = 16U << 10U;
inline constexpr std::size_t kMaxContainers = 10'000;
inline constexpr std::size_t kMaxPods = 10'000;
inline constexpr std::size_t kMaxNetworks = 1'000;
inline constexpr std::size_t kMaxConnections = 1'000;
inline constexpr std::size_t kMaxPorts = 1'024;        ///< per container
inline constexpr std::size_t kMaxAttachments = 64;     ///< per container
inline constexpr std::size_t kMaxAddresses = 64;       ///< per attachment
inline constexpr std::size_t kMaxCreationWords = 256;  ///< of the command that made a container
inline constexpr std::size_t kMaxLabels = 128;         ///< per container
inline constexpr std::size_t kMaxName = 256;   ///< bytes of a name, id, state, address, key; longer is cut
inline constexpr std::size_t kMaxText = 4096;  ///< bytes of an image or label value; longer is cut

}  // namespace podshark::api
