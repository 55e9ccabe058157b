# SPDX-License-Identifier: GPL-2.0-only

# VFIO_IOAS_LINUX
# Finds the kernel for plain make and make install, and probes it.
# Substitutes LINUX_BUILD (its build directory), LINUX_RELEASE and ALLOW_UNPROVEN_KERNEL.
# A directory that the user names must be suitable. Otherwise we use that of the running kernel, if
# it is suitable, or none: a machine that only runs our VMs needs none.
AC_DEFUN([VFIO_IOAS_LINUX], [
	AC_ARG_WITH([linux],
		[AS_HELP_STRING([--with-linux=DIR],
			[kernel build directory @<:@/lib/modules/<running release>/build@:>@;
			--without-linux: plain make and make install leave out the module])],
		[AS_CASE([$withval], [yes],
			[AC_MSG_ERROR([--with-linux needs a directory: --with-linux=DIR])])],
		[with_linux=])
	AC_ARG_WITH([modules-dir],
		[AS_HELP_STRING([--with-modules-dir=DIR],
			[make install puts modules into DIR/<release>/updates @<:@/lib/modules@:>@])],
		[], [with_modules_dir=/lib/modules])
	AC_ARG_ENABLE([unproven-kernel],
		[AS_HELP_STRING([--enable-unproven-kernel],
			[accept a kernel newer than the newest one that is proven to match])])
	ALLOW_UNPROVEN_KERNEL=
	AS_IF([test "$enable_unproven_kernel" = yes], [ALLOW_UNPROVEN_KERNEL=1])
	export ALLOW_UNPROVEN_KERNEL

	AS_IF([test "$with_linux" != no], [VFIO_IOAS_FIND_LINUX])

	AM_CONDITIONAL([WITH_MODULE], [test "$with_linux" != no])
	AC_SUBST([LINUX_BUILD])
	AC_SUBST([LINUX_RELEASE])
	AC_SUBST([ALLOW_UNPROVEN_KERNEL])
	AC_SUBST([modulesdir], [$with_modules_dir])
])

# VFIO_IOAS_FIND_LINUX
# Sets LINUX_BUILD and LINUX_RELEASE.
AC_DEFUN([VFIO_IOAS_FIND_LINUX], [
	AC_MSG_CHECKING([for a kernel build directory])
	LINUX_BUILD=$with_linux
	AS_IF([test -z "$with_linux"], [LINUX_BUILD=/lib/modules/$(uname -r)/build])
	LINUX_RELEASE=
	AS_IF([test -f "$LINUX_BUILD/include/generated/utsrelease.h"],
		[LINUX_BUILD=$(cd "$LINUX_BUILD" && pwd)
		LINUX_RELEASE=$(sed -n 's/^#define UTS_RELEASE "\(.*\)"$/\1/p' \
			"$LINUX_BUILD/include/generated/utsrelease.h")
		AC_MSG_RESULT([$LINUX_BUILD ($LINUX_RELEASE)])],
		[AC_MSG_RESULT([no])
		AS_IF([test -n "$with_linux"],
			[AC_MSG_ERROR(m4_normalize([$with_linux is not a prepared kernel build directory
				(no include/generated/utsrelease.h).
				Debian's package linux-headers-<release> has one.]))])])

	AS_IF([test -n "$LINUX_RELEASE"], [VFIO_IOAS_PROBE])
	AS_IF([test -z "$LINUX_RELEASE"],
		[AS_IF([test -n "$with_linux"],
			[AC_MSG_ERROR([$with_linux cannot be used, for the reason above])])
		AC_MSG_WARN([no kernel for plain make and make install: name one with --with-linux=DIR])
		LINUX_BUILD=])
])

# VFIO_IOAS_PROBE
# Checks whether the kernel of LINUX_BUILD is suitable, and compiles m4/probes/*.c. If it is not
# suitable, LINUX_RELEASE becomes empty.
AC_DEFUN([VFIO_IOAS_PROBE], [
	AC_MSG_CHECKING([whether Linux $LINUX_RELEASE can run our module])
	AS_IF([scripts/build-module --configure "$LINUX_BUILD" >&AS_MESSAGE_LOG_FD 2>conftest.err],
		[AC_MSG_RESULT([yes])
		for vfio_ioas_have in $(sed -n 's/.*\(HAVE_[[A-Z_0-9]]*\).*/\1/p' \
			"build/$LINUX_RELEASE/vfio_ioas_config.h"); do
			AC_MSG_CHECKING([for $vfio_ioas_have])
			AS_IF([grep -q "^#define $vfio_ioas_have " "build/$LINUX_RELEASE/vfio_ioas_config.h"],
				[AC_MSG_RESULT([yes])], [AC_MSG_RESULT([no])])
		done],
		[AC_MSG_RESULT([no])
		cat conftest.err >&2
		LINUX_RELEASE=])
	cat conftest.err >&AS_MESSAGE_LOG_FD
	rm -f conftest.err
])
