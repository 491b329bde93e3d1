/* The contract with the operating system, of the files that regions are saved
 * in. platform.h has the rules. */
#ifndef WINSHM_FILE_H
#define WINSHM_FILE_H

#include "system.h"
#include "winshm.h"

/** Longest path in bytes, without the NUL. */
#define FILE_PATH_MAX 4000

/** What the name of the file has at its end that is not whole yet. */
#define PLATFORM_PART ".winshm-part"

/** How many files can be open at once. */
enum { PLATFORM_FILES = 64 };

/** A file that is open. */
struct platform_file {
    const char *path; /* the caller's; UTF-8, not empty, not too long */
    uint32_t place; /* in a table of the backend, which a forked child knows */
};

/**
 * Open a file for reading, and tell its size.
 *
 * @return WINSHM_E_NOT_FOUND; WINSHM_E_BUSY: somebody keeps others away from
 *         it for now; or why it cannot be read.
 */
winshm_status wshm_platform_file_open(struct platform_file *f, const char *path,
                                      uint64_t *bytes);

/**
 * Open or make the part file beside path, for this caller alone. Nothing is
 * ever reached through a symbolic link of this name.
 *
 * @return WINSHM_E_BUSY: somebody else has it for now; or why it cannot be had,
 *         or path cannot be replaced by it.
 */
winshm_status wshm_platform_file_make(struct platform_file *f,
                                      const char *path);

/** Make the part file one of so many zeros, as far as can be without room. */
winshm_status wshm_platform_file_empty(const struct platform_file *f,
                                       uint64_t bytes);

winshm_status wshm_platform_file_write(const struct platform_file *f,
                                       uint64_t offset, const void *bytes,
                                       size_t length);

/** @param got [out] how many bytes there were; less than length at the end of
 * the file only. */
winshm_status wshm_platform_file_read(const struct platform_file *f,
                                      uint64_t offset, void *bytes,
                                      size_t length, size_t *got);

/** Bring the part file to the disk, and then to its path. @param deadline_ns
 * Windows: how long those may stay who have the old file open. */
winshm_status wshm_platform_file_publish(const struct platform_file *f,
                                         uint64_t deadline_ns);

/** Close what is open; a part file that was not published is removed. */
void wshm_platform_file_close(const struct platform_file *f);

/* What both sides say. The path is {text}. */

#define PLATFORM_FILE_DENIED "this user may not get at '{text}'"
#define PLATFORM_FILE_DENIED_CURE                                              \
    "Choose another folder, or let its owner allow it."
#define PLATFORM_FILE_NO_FOLDER "there is no folder for '{text}'"
#define PLATFORM_FILE_NO_FOLDER_CURE "Make the folder first."
#define PLATFORM_FILE_NONE "there is no file '{text}'"
#define PLATFORM_FILE_NONE_CURE                                                \
    "Check the path, or save the region there first."
#define PLATFORM_FILE_KIND "'{text}' is no plain file"
#define PLATFORM_FILE_KIND_CURE "Choose the path of a file."
#define PLATFORM_FILE_PART_KIND                                                \
    "what has the name of '{text}' with " PLATFORM_PART                        \
    " appended is no plain file of this user's"
#define PLATFORM_FILE_PART_KIND_CURE "Remove it; such names are the library's."
#define PLATFORM_FILE_LONG "path is longer than the system takes"
#define PLATFORM_FILE_LONG_CURE                                                \
    "The file's name, with " PLATFORM_PART " appended, has to fit as well."
#define PLATFORM_FILE_LARGE "the file system takes no file of this size"
#define PLATFORM_FILE_LARGE_CURE "Save on another file system."
#define PLATFORM_FILE_MANY "{a} threads of this process save and load already"
#define PLATFORM_FILE_MANY_CURE "Let some of them finish first."

#endif
