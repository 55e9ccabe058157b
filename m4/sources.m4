# SPDX-License-Identifier: GPL-2.0-only

# VFIO_IOAS_SOURCES(NAME...)
# Our scripts and Kbuild expect the sources and build/ in one directory. So a build outside the
# source directory works in a tree of links to the sources NAME...
# Substitutes SOURCE_TREE, the sources that make dist puts into a release, and SOURCE_LINKS, the
# links that make distclean removes. In the source directory there are no links.
AC_DEFUN([VFIO_IOAS_SOURCES], [
	SOURCE_TREE="$1"
	SOURCE_LINKS=
	AS_IF([test "$(cd "$srcdir" && pwd -P)" != "$(pwd -P)"], [
		AC_MSG_NOTICE([linking the sources of $srcdir])
		SOURCE_LINKS=$SOURCE_TREE
		for vfio_ioas_source in $SOURCE_LINKS; do
			# An earlier run may have linked files that have been removed since.
			AS_IF([test -d "$vfio_ioas_source"], [find "$vfio_ioas_source" -xtype l -delete])
			cp -rsf "$(cd "$srcdir" && pwd)/$vfio_ioas_source" . ||
				AC_MSG_ERROR([cannot link $srcdir/$vfio_ioas_source here, see above])
			# Directories are copied with their mode, and may be read-only.
			find "$vfio_ioas_source" -type d -exec chmod u+w {} +
		done
	])
	AC_SUBST([SOURCE_TREE])
	AC_SUBST([SOURCE_LINKS])
])
