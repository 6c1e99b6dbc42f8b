// SPDX-License-Identifier: GPL-2.0-or-later
// The hosts that are listed, with what is known of them. Only list_there() contacts one, and only
// refresh_connections() starts podman.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "extcap/remote/far_host.h"
#include "extcap/remote/host_book.h"
#include "extcap/remote/listed_host.h"
#include "podman/core/result.h"
#include "podman/model/inventory.h"

namespace podshark::extcap::remote {

/// Where hosts are saved; empty without a home.
[[nodiscard]] std::string book_path();
/// Empty when there is none yet. An error when it can not be read.
[[nodiscard]] Result<HostBook> read_book();
[[nodiscard]] Status write_book(const HostBook& book);

/// From the book, what podman said last of its connections, and the environment. Notes name the book's
/// problems too.
[[nodiscard]] ListedHosts load_hosts();

/// Asks podman for its connections and keeps the answer. Without podman there are none: no error.
[[nodiscard]] Status refresh_connections();
/// The same when that was more than a minute ago; what goes wrong is not told.
void refresh_connections_if_old();

/// With the key and jump hosts of the listed host that is meant, if one is.
[[nodiscard]] FarHost as_listed(FarHost named);

/// What runs there now; kept for the interface list when the host is listed. Blocks up to `limit`, ten
/// seconds more where podshark is not installed, and longer when ssh has a question.
[[nodiscard]] Result<model::Inventory> list_there(const FarHost& host, std::chrono::milliseconds limit);
/// The same after this process, by a detached one which asks nobody and tells nothing. Only of a listed host.
void list_there_later(const FarHost& host);
inline constexpr std::chrono::milliseconds kListLimit{12'000};  ///< ssh itself gives up after ten seconds

/// Whether it is a value of an interface of another machine.
[[nodiscard]] bool is_far_interface(std::string_view value);
/// What that stands for; an empty target: any container there. ErrorKind::not_found when its host is not
/// listed (any more).
[[nodiscard]] Result<FarTarget> far_interface(const std::string& value);

/// It stands for any container of a listed host. Reads no listing.
[[nodiscard]] bool is_far_choice(const std::string& value);

/// A capture's target on another machine: "ssh://HOST/NAME" or an interface value.
[[nodiscard]] bool names_far(std::string_view text);
/// With the key and jump hosts of a listed host. ErrorKind::usage or not_found.
[[nodiscard]] Result<FarTarget> listed_target(const std::string& text);

}  // namespace podshark::extcap::remote
