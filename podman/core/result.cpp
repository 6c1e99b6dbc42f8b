// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/core/result.h"

#include <cerrno>

#include "podman/core/text.h"

namespace podshark {

std::string Error::line() const {
  return one_line(hint.empty() ? what : what + " (" + hint + ")", 1000);
}

Error os_error(int code, const std::string& what, std::string hint, std::optional<ErrorKind> kind) {
  const ErrorKind guessed = code == EPERM || code == EACCES ? ErrorKind::permission : ErrorKind::internal;
  return Error{kind.value_or(guessed), what + ": " + std::strerror(code), std::move(hint)};
}

}  // namespace podshark
