// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/core/result.h"

#include <cerrno>

#include "podman/core/text.h"

namespace podshark {

std::string Error::line() const {
  return one_line(hint.empty() ? what : what + " (" + hint + ")", 1000);
}

namespace {

// Of what runs short anywhere.
const char* usual_hint(int code) {
  switch (code) {
    case EMFILE:
      return "raise the limit of open files: ulimit -n";
    case ENFILE:
      return "the system has no more open files to give: see the sysctl fs.file-max";
    case ENOMEM:
      return "free some memory, or raise the limit that 'ulimit -v' shows";
    default:
      return "";
  }
}

}  // namespace

Error os_error(int code, const std::string& what, std::string hint, std::optional<ErrorKind> kind) {
  const ErrorKind guessed = code == EPERM || code == EACCES ? ErrorKind::permission : ErrorKind::internal;
  if (hint.empty()) hint = usual_hint(code);
  return Error{kind.value_or(guessed), what + ": " + std::strerror(code), std::move(hint)};
}

}  // namespace podshark
