// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstring>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace podshark {

/// What a failure means to the person in front of it. The values are the exit codes of the command line
/// ("Exit codes" in README.md) and part of its interface: never renumber.
enum class ErrorKind : int {
  internal = 1,      ///< a bug or an unexpected system failure
  usage = 2,         ///< wrong options, links or filters
  not_found = 3,     ///< no such container, pod, network or link
  not_running = 4,   ///< it exists, but has no network namespace now
  permission = 5,    ///< the caller may not do this; hint says what would allow it
  no_podman = 6,     ///< podman is missing, hangs, or answers nonsense
  unsupported = 7,   ///< works nowhere: e.g. a container in host network mode
  bad_filter = 8,    ///< libpcap refused the capture filter
  output = 9,        ///< the capture file or fifo could not be written
  gone = 10,         ///< the container disappeared between selection and capture
  damaged = 11,      ///< a file to be read ends too early or is damaged; what came before was used
  unreachable = 12,  ///< a probe's target, another machine or a cluster was not reached
  found = 13,        ///< `podshark check` has found something wrong
};

/// One failure in words: `what` names what was tried and why it failed (one line, no full stop),
/// `hint` what to do about it (may be empty).
struct Error {
  ErrorKind kind = ErrorKind::internal;
  std::string what;
  std::string hint;

  /// "what (hint)", made safe for one terminal or dialog line.
  [[nodiscard]] std::string line() const;
};

/// `what: strerror(code)`; EPERM and EACCES become ErrorKind::permission unless `kind` says otherwise.
[[nodiscard]] Error os_error(int code, const std::string& what, std::string hint = {},
                             std::optional<ErrorKind> kind = std::nullopt);

/// A value or an Error. Replaceable by std::expected once the compilers we support have it.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::move(value)) {}      // NOLINT(google-explicit-constructor)
  Result(Error error) : state_(std::move(error)) {}  // NOLINT(google-explicit-constructor)

  [[nodiscard]] explicit operator bool() const { return state_.index() == 0; }
  [[nodiscard]] T& value() & { return std::get<0>(state_); }
  [[nodiscard]] const T& value() const& { return std::get<0>(state_); }
  [[nodiscard]] T&& value() && { return std::get<0>(std::move(state_)); }
  [[nodiscard]] T* operator->() { return &value(); }
  [[nodiscard]] const T* operator->() const { return &value(); }
  [[nodiscard]] T& operator*() & { return value(); }
  [[nodiscard]] const T& operator*() const& { return value(); }
  [[nodiscard]] T&& operator*() && { return std::move(*this).value(); }
  [[nodiscard]] const Error& error() const { return std::get<1>(state_); }

  /// The same failure with the caller's purpose in front: `enter netns of 'web': open …`.
  [[nodiscard]] Error wrap(const std::string& doing) const {
    Error e = error();
    e.what = doing + ": " + e.what;
    return e;
  }

 private:
  std::variant<T, Error> state_;
};

struct Done {};
/// For functions that return nothing but may fail.
using Status = Result<Done>;
inline Status ok() {
  return Done{};
}

}  // namespace podshark
