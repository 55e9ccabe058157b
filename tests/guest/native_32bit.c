// SPDX-License-Identifier: GPL-2.0-only
/*
 * The native ioctls as 32-bit programs reach them: by the kernel's compat entry. A 64-bit program
 * can use that entry, too, with addresses that fit.
 */
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <linux/vfio.h>

#include "lib_native.h"

#define IA32_NR_IOCTL	54

static sigjmp_buf no_entry;

static void on_segv(int signal)
{
	siglongjmp(no_entry, signal);
}

/* Returns 0 or -errno. Skips the test if the kernel runs no 32-bit programs. */
static int ioctl32(int fd, unsigned int command, uint32_t argument)
{
	int ret;

	signal(SIGSEGV, on_segv);
	if (sigsetjmp(no_entry, 1))
		skip("the kernel runs no 32-bit programs");
	asm volatile("int $0x80"
		     : "=a"(ret)
		     : "a"(IA32_NR_IOCTL), "b"(fd), "c"(command), "d"(argument)
		     : "memory", "r8", "r9", "r10", "r11");
	signal(SIGSEGV, SIG_DFL);
	return ret;
}

/* Allocates memory that a 32-bit pointer reaches. */
static void *low_memory(void)
{
	void *memory = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);

	require_true(memory != MAP_FAILED);
	require_true((uintptr_t)memory < 1ULL << 32);
	return memory;
}

static int native32(int fd, unsigned int command, void *argument)
{
	return ioctl32(fd, command, (uint32_t)(uintptr_t)argument);
}

static void program_of_32_bits_makes_and_fills_an_ioas(void)
{
	int fd = native_open();
	struct iommu_ioas_alloc *alloc = low_memory();
	struct iommu_ioas_map *map = low_memory();
	struct iommu_ioas_unmap *unmap = low_memory();

	*alloc = (struct iommu_ioas_alloc){ .size = sizeof(*alloc) };
	require_eq(native32(fd, IOMMU_IOAS_ALLOC, alloc), 0);
	*map = (struct iommu_ioas_map){
		.size = sizeof(*map),
		.flags = IOAS_RW | IOAS_FIXED,
		.ioas_id = alloc->out_ioas_id,
		.user_va = (uintptr_t)alloc,
		.length = PAGE,
		.iova = 1ULL << 40,
	};
	check_eq(native32(fd, IOMMU_IOAS_MAP, map), 0);
	*unmap = (struct iommu_ioas_unmap){
		.size = sizeof(*unmap),
		.ioas_id = alloc->out_ioas_id,
		.iova = 1ULL << 40,
		.length = PAGE,
	};
	check_eq(native32(fd, IOMMU_IOAS_UNMAP, unmap), 0);
	check_eq(unmap->length, PAGE);
	close(fd);
}

static void container_ioctls_are_there_for_32_bits_too(void)
{
	int fd = native_open();

	check_eq(ioctl32(fd, VFIO_GET_API_VERSION, 0), VFIO_API_VERSION);
	check_eq(ioctl32(fd, VFIO_CHECK_EXTENSION, VFIO_TYPE1v2_IOMMU), 1);
	close(fd);
}

static const struct test tests[] = {
	TEST(program_of_32_bits_makes_and_fills_an_ioas, 0),
	TEST(container_ioctls_are_there_for_32_bits_too, 0),
};

int main(int argc, char **argv)
{
	return run_tests(tests, ARRAY_SIZE(tests), argc, argv);
}
