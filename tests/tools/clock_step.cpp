// SPDX-License-Identifier: GPL-2.0-or-later
// For LD_PRELOAD: CLOCK_REALTIME is wrong by as many seconds as the file named by CLOCK_STEP says now. A real
// step would be one for the whole machine.
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace {

long step() {
  const char* path = std::getenv("CLOCK_STEP");
  std::FILE* file = path != nullptr ? std::fopen(path, "re") : nullptr;
  if (file == nullptr) return 0;
  long seconds = 0;
  if (std::fscanf(file, "%ld", &seconds) != 1) seconds = 0;
  (void)std::fclose(file);
  return seconds;
}

}  // namespace

extern "C" __attribute__((visibility("default"))) int clock_gettime(clockid_t clock, timespec* time) {
  const int result = static_cast<int>(::syscall(SYS_clock_gettime, clock, time));
  if (result == 0 && clock == CLOCK_REALTIME) time->tv_sec += step();
  return result;
}
