// SPDX-License-Identifier: GPL-2.0-only
/*
 * call: how a native ioctl gives its result to user space.
 *
 * Locking: none.
 */
#include <linux/minmax.h>
#include <linux/uaccess.h>

#include "call.h"

int call_respond(struct native_call *call, u32 nbytes)
{
	if (copy_to_user(call->uargs, &call->args, min(call->user_nbytes, nbytes)))
		return -EFAULT;
	return 0;
}

int call_publish(struct native_call *call, u32 nbytes, struct ioas_object *object)
{
	int ret = call_respond(call, nbytes);

	if (ret) {
		ioas_object_abort(object);
		object->ops->destroy(object);
	} else {
		ioas_object_publish(object);
	}
	return ret;
}
