/* SPDX-License-Identifier: Apache-2.0 */
#include "image/pull_ui.h"

#include <stdarg.h>
#include <stdio.h>

void pull_ui_step(const struct pull_ui *ui, const char *format, ...)
{
	char text[1024];
	va_list ap;

	if (!ui || !ui->step)
		return;
	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	ui->step(text, ui->data);
}

void pull_ui_layer(const struct pull_ui *ui, const struct layer_progress *layer)
{
	if (ui && ui->layer)
		ui->layer(layer, ui->data);
}
