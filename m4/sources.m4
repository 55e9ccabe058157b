# SPDX-License-Identifier: GPL-2.0-only

# VFIO_IOAS_SOURCES(NAME...)
# Our scripts and Kbuild know one directory: where the sources are is build/, too. So a build
# outside the source directory gets a tree of links to the sources NAME... and works in that.
# Substitutes SOURCE_TREE, all of them, of which make dist makes a release, and SOURCE_LINKS, what
# make distclean has to remove: nothing in the source directory.
AC_DEFUN([VFIO_IOAS_SOURCES], [
	SOURCE_TREE="$1"
	SOURCE_LINKS=
	AS_IF([test "$(cd "$srcdir" && pwd -P)" != "$(pwd -P)"], [
		AC_MSG_NOTICE([linking the sources of $srcdir])
		SOURCE_LINKS=$SOURCE_TREE
		for vfio_ioas_source in $SOURCE_LINKS; do
			# An earlier run may have linked what is gone.
			AS_IF([test -d "$vfio_ioas_source"], [find "$vfio_ioas_source" -xtype l -delete])
			cp -rsf "$(cd "$srcdir" && pwd)/$vfio_ioas_source" . ||
				AC_MSG_ERROR([the sources cannot be linked here])
			# They are as read-only as the originals.
			find "$vfio_ioas_source" -type d -exec chmod u+w {} +
		done
	])
	AC_SUBST([SOURCE_TREE])
	AC_SUBST([SOURCE_LINKS])
])
