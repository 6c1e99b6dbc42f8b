// SPDX-License-Identifier: GPL-2.0-or-later
// What a machine without podshark has and runs: one script, which only looks.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <set>
#include <string>

#include "extcap/remote/far_host.h"
#include "extcap/remote/far_script.h"
#include "podman/core/result.h"
#include "podman/model/inventory.h"

namespace podshark::extcap::remote {

struct FarFacts {
  std::string machine;          ///< uname -m
  uid_t uid = 0;                ///< who we are there
  std::set<std::string> tools;  ///< of those that a capture may use
  std::string elevate;          ///< "sudo" or "doas", when it makes us root without a question; else empty
  std::string carrier;          ///< SSH_CONNECTION: addresses and ports of our own connection
  std::int64_t clock_ns = 0;    ///< its CLOCK_REALTIME then
  model::Inventory inventory;  ///< own containers and, where we can be root, rootful ones; `host` is its name
};

/// A script for sh(1) that prints all that, under a lease: to be run there, or, for a connection of podman,
/// here.
[[nodiscard]] std::string survey_script(const std::string& connection = {});
/// Reads what it printed. `all`: stopped and created containers too. ErrorKind::no_podman when it has no
/// podman. Pure.
[[nodiscard]] Result<FarFacts> read_survey(const FarHost& host, const std::string& text, bool all);

/// Both, over ssh, within ten seconds.
[[nodiscard]] Result<FarFacts> survey(const FarHost& host, bool all);

}  // namespace podshark::extcap::remote
